// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.ari.AsteriskTime;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.resync.Resync;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Resync after the websocket opens (docs/contract.md#outages). */
class ResyncTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Channels as described by Asterisk 22.10.1 and 16.28.0. */
  private static final String CHANNELS =
      """
      [{"id":"given","creationtime":"2026-11-23T10:22:57.649+0000",
        "dialplan":{"app_name":"Stasis","app_data":"app"},"channelvars":{"CALL_CONTEXT":"mine"}},
       {"id":"none","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Stasis","app_data":"app,a,b"},"channelvars":{"CALL_CONTEXT":""}},
       {"id":"subscribed","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Wait","app_data":"20"},"channelvars":{"CALL_CONTEXT":""}},
       {"id":"theirs","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Stasis","app_data":"other"},"channelvars":{"CALL_CONTEXT":""}}]
      """;

  private static final String APPLICATIONS =
      """
      [{"name":"app","channel_ids":["given","none","subscribed"]},
       {"name":"other","channel_ids":["theirs"]}]
      """;

  @AutoClose private final Closer closer = new Closer();
  private SimulatedAsterisk asterisk;
  private RoutesUnderTest routes;

  @BeforeEach
  void start() throws Exception {
    asterisk = closer.register(SimulatedAsterisk.builder().user("user", "password").start());
    routes = closer.register(RoutesUnderTest.startWithAsterisk(asterisk.port()));
    stubAsterisk(APPLICATIONS, CHANNELS, "[]");
  }

  private void restartWithResyncTimeout(String timeout) throws Exception {
    routes.close();
    routes =
        closer.register(
            RoutesUnderTest.startWithAsterisk(
                asterisk.port(), Map.of(Setting.ARI_RESYNC_TIMEOUT, timeout)));
  }

  @Test
  void publishesStasisStartOfMissedChannels() throws Exception {
    sendConnectionEvent("CONNECTED");

    assertThat(published())
        .extracting(event -> event.path("type").asText() + " " + event.path("callContext").asText())
        .containsExactly("STASIS_START mine", "STASIS_START " + mapping("none").callContext());
    JsonNode payload = published().get(1).path("payload");
    assertThat(payload.path("type").asText()).isEqualTo("StasisStart");
    assertThat(payload.path("synthesized_by").asText()).isEqualTo("ari-proxy");
    assertThat(payload.path("args").toString()).isEqualTo("[\"a\",\"b\"]");
    assertThat(payload.at("/channel/creationtime").asText())
        .isEqualTo("2026-11-23T10:22:57.670+0000");
    assertThat(payload.path("asterisk_id").asText()).isEqualTo("ast");
    assertThat(payload.path("application").asText()).isEqualTo("app");
    assertThat(mapping("subscribed")).isNull();
    assertThat(mapping("theirs")).isNull();
    assertThat(routes.counterValue(Meters.RESYNC_CHANNELS_DISCOVERED)).isEqualTo(2);
    assertThat(routes.counterValue(Meters.EVENTS_SYNTHESIZED)).isEqualTo(2);
  }

  @Test
  void ignoresSubscribedChannelOfOtherApplication() throws Exception {
    stubAsterisk(
        "[{\"name\":\"app\",\"channel_ids\":[\"theirs\"]},{\"name\":\"other\",\"channel_ids\":[\"theirs\"]}]",
        CHANNELS,
        "[]");
    sendConnectionEvent("CONNECTED");
    assertThat(types()).isEmpty();
  }

  @Test
  void publishesStasisStartOfMovedChannel() throws Exception {
    stubAsterisk(
        "[{\"name\":\"app\",\"channel_ids\":[\"theirs\"]},{\"name\":\"other\",\"channel_ids\":[]}]",
        CHANNELS,
        "[]");
    sendConnectionEvent("CONNECTED");
    assertThat(types()).containsExactly("STASIS_START");
    assertThat(published().get(0).at("/payload/args")).isEmpty();
  }

  @Test
  void doesNotRepeatStasisStart() throws Exception {
    routes.sendEvent(stasisStart("given"));
    routes.sendEvent(stasisStart("none"));
    routes.resetTopics();
    sendConnectionEvent("CONNECTED");
    assertThat(published()).isEmpty();
  }

  @Test
  void derivesSameCallContextAfterStateLoss() {
    routes.sendEvent(
        event(
            "StasisStart",
            "\"asterisk_id\":\"ast\",\"channel\":"
                + "{\"id\":\"none\",\"creationtime\":\"2026-11-23T10:22:57.670+0000\"}"));
    String before = mapping("none").callContext();
    cache().invalidateAll();

    sendConnectionEvent("CONNECTED");

    assertThat(mapping("none").callContext()).isEqualTo(before);
  }

  @Test
  void skipsDuplicateOfSyntheticEvent() throws Exception {
    sendConnectionEvent("CONNECTED");
    routes.resetTopics();

    routes.sendEvent(stasisStart("none"));
    assertThat(published()).isEmpty();
    assertThat(routes.counterValue(Meters.EVENTS_DUPLICATES)).isEqualTo(1);

    routes.sendEvent(event("StasisEnd", "\"channel\":{\"id\":\"none\"}"));
    routes.sendEvent(stasisStart("none"));
    assertThat(types()).containsExactly("STASIS_END", "STASIS_START");
  }

  @Test
  void publishesEndOfBridgeWithReusedId() throws Exception {
    command("POST", "/bridges/conf");
    stubAsterisk("[]", "[]", "[]");
    sendConnectionEvent("CONNECTED");
    assertThat(types()).containsExactly("BRIDGE_DESTROYED");

    command("POST", "/bridges/conf");
    routes.resetTopics();
    routes.sendEvent(event("BridgeDestroyed", "\"bridge\":{\"id\":\"conf\"}"));
    assertThat(types()).containsExactly("BRIDGE_DESTROYED");
    assertThat(cache().getIfPresent("BRIDGE:conf").ended()).isTrue();
  }

  @Test
  void skipsDuplicateEndOfEarlierBridgeWithReusedId() throws Exception {
    String bridge =
        "\"bridge\":{\"id\":\"conf\",\"creationtime\":\"2026-11-23T10:22:5%d.670+0000\"}";
    command("POST", "/bridges/conf");
    routes.sendEvent(event("BridgeCreated", bridge.formatted(1)));
    routes.resetTopics();
    stubAsterisk("[]", "[]", "[]");
    sendConnectionEvent("CONNECTED");
    assertThat(types()).containsExactly("BRIDGE_DESTROYED");

    command("POST", "/bridges/conf");
    routes.resetTopics();
    routes.sendEvent(event("BridgeDestroyed", bridge.formatted(1)));
    assertThat(types()).isEmpty();
    assertThat(cache().getIfPresent("BRIDGE:conf").ended()).isFalse();
    routes.sendEvent(event("BridgeDestroyed", bridge.formatted(2)));
    assertThat(types()).containsExactly("BRIDGE_DESTROYED");
    assertThat(cache().getIfPresent("BRIDGE:conf").ended()).isTrue();
  }

  @Test
  void publishesStasisStartAfterTwoGaps() throws Exception {
    sendConnectionEvent("CONNECTED");
    stubAsterisk("[]", CHANNELS, "[]");
    sendConnectionEvent("CONNECTED");
    routes.resetTopics();

    routes.sendEvent(stasisStart("none"));
    assertThat(types()).containsExactly("STASIS_START");
  }

  @Test
  void doesNotEndChannelRecreatedDuringResync() throws Exception {
    command("POST", "/channels?endpoint=PJSIP/1&channelId=made&app=app");
    stubAsterisk("[]", "[]", "[]");
    // during the queries
    asterisk
        .faults()
        .respondWith(
            request -> {
              if (request.uri().startsWith("/ari/bridges")) {
                cache().invalidate("CHANNEL:made");
                routes.sendEvent(stasisStart("made"));
              }
              return false;
            },
            500,
            "never");
    sendConnectionEvent("CONNECTED");
    assertThat(types()).containsExactly("STASIS_START");
  }

  @Test
  void publishesLateWhatAsteriskAnswersLate() throws Exception {
    restartWithResyncTimeout("2s");
    routes.sendEvent(stasisStart("given"));
    for (int i = 0; i < 10; i++) {
      routes.sendEvent(playbackStarted("p" + i));
    }
    routes.resetTopics();
    Fault hang = asterisk.faults().hang(request -> request.uri().startsWith("/ari/playbacks"));
    sendConnectionEvent("CONNECTED");
    assertThat(types()).containsExactly("STASIS_START");
    assertThat(published().get(0).at("/payload/late").isMissingNode()).isTrue();
    assertThat(routes.gaugeValue(Meters.RESYNC_PENDING)).isEqualTo(10);

    routes.sendEvent(event("ChannelHold", "\"channel\":{\"id\":\"given\"}"));
    routes.sendEvent(event("PlaybackFinished", "\"playback\":{\"id\":\"p0\"}"));
    assertThat(types()).as("events continue").hasSize(3);
    routes.resetTopics();
    hang.clear();
    Awaitility.await("answers").until(() -> routes.gaugeValue(Meters.RESYNC_PENDING) == 0);
    sendConnectionEvent(Resync.FINDINGS);

    assertThat(types()).hasSize(9).containsOnly("PLAYBACK_FINISHED");
    assertThat(published())
        .allSatisfy(event -> assertThat(event.at("/payload/late").asBoolean()).isTrue());
  }

  @Test
  void asksForSingleChannelsIfAsteriskFailsOnOne() throws Exception {
    routes.sendEvent(stasisStart("given"));
    routes.sendEvent(stasisStart("none"));
    routes.sendEvent(stasisStart("ended"));
    String call = mapping("given").callContext();
    sendConnectionEvent("DISCONNECTED");
    routes.resetTopics();
    stubAsterisk(
        "[{\"name\":\"app\",\"channel_ids\":[\"given\",\"none\",\"unknown\"]}]", CHANNELS, "[]");
    respond("/channels", 500, "{\"error\":\"Allocation failed\"}");
    respond("/channels/given", 500, "{}");
    respond("/channels/unknown", 200, "");
    respond("/channels/ended", 404, "{}");
    respond("/channels/none", 200, "{\"id\":\"none\",\"dialplan\":{\"app_name\":\"Stasis\"}}");
    stubInStasis("given", 400);
    stubInStasis("unknown", 412);

    sendConnectionEvent("CONNECTED");

    assertThat(types())
        .containsExactlyInAnyOrder(
            "STASIS_END", "ARI_CONNECTION_RESTORED", "ARI_CONNECTION_RESTORED");
    assertThat(published())
        .filteredOn(event -> event.path("callContext").asText().equals(call))
        .extracting(event -> event.at("/payload/channels").toString())
        .as("only the id of a channel that cannot be described")
        .containsExactly("[{\"id\":\"given\"}]");
    assertThat(routes.gaugeValue(Meters.RESYNC_PENDING)).isZero();
    assertThat(routes.gaugeValue(Meters.RESYNC_UNDESCRIBABLE)).isEqualTo(1);
    assertThat(routes.counterValue(Meters.RESYNC_FAILURES)).isPositive();
  }

  @Test
  void asksForSingleBridgesAndApplicationsIfAsteriskFailsOnOne() throws Exception {
    routes.sendEvent(stasisStart("given"));
    routes.sendEvent(event("BridgeCreated", "\"bridge\":{\"id\":\"b1\",\"channels\":[\"given\"]}"));
    routes.sendEvent(event("BridgeCreated", "\"bridge\":{\"id\":\"b2\",\"channels\":[\"given\"]}"));
    routes.resetTopics();
    respond("/bridges", 500, "{}");
    respond("/bridges/b1", 404, "{}");
    respond("/bridges/b2", 200, "");
    respond("/applications", 500, "{}");
    respond("/applications/app", 200, "{\"name\":\"app\",\"channel_ids\":[]}");

    sendConnectionEvent("CONNECTED");

    assertThat(types()).containsExactly("STASIS_END", "BRIDGE_DESTROYED");
    assertThat(routes.counterValue(Meters.RESYNC_FAILURES)).isZero();
  }

  @Test
  void publishesNoStartOfChannelWhoseApplicationIsNotDescribed() throws Exception {
    respond("/applications", 500, "{}");
    respond("/applications/app", 200, "{\"name\":\"app\",\"channel_ids\":[\"none\",\"theirs\"]}");

    sendConnectionEvent("CONNECTED");

    assertThat(published())
        .extracting(event -> event.at("/payload/channel/id").asText())
        .containsExactly("none");
  }

  @Test
  void readOnlyUserEndsNoChannel() throws Exception {
    routes.sendEvent(stasisStart("subscribed"));
    routes.resetTopics();
    stubAsterisk("[{\"name\":\"app\",\"channel_ids\":[\"subscribed\"]}]", CHANNELS, "[]");
    stubInStasis("subscribed", 403);

    sendConnectionEvent("CONNECTED");

    assertThat(published()).isEmpty();
    assertThat(routes.gaugeValue(Meters.RESYNC_PENDING)).isZero();
  }

  @Test
  void asksWhetherChannelWithOtherDialplanApplicationIsInStasis() throws Exception {
    routes.sendEvent(stasisStart("claimed"));
    routes.sendEvent(stasisStart("continued"));
    routes.resetTopics();
    String missed =
        """
        {"id":"missed","dialplan":{"app_name":"StasisBroadcast","app_data":"10000,,a:b"}}""";
    stubAsterisk(
        "[{\"name\":\"app\",\"channel_ids\":[\"claimed\",\"continued\",\"missed\"]}]",
        """
        [{"id":"claimed","dialplan":{"app_name":"StasisBroadcast","app_data":"10000"}},
         {"id":"continued","dialplan":{"app_name":"Wait","app_data":"20"}},
         %s]
        """
            .formatted(missed),
        "[]");
    respond("/channels/missed", 200, missed);
    stubInStasis("claimed", 400);
    stubInStasis("continued", 409);
    stubInStasis("missed", 400);

    sendConnectionEvent("CONNECTED");

    assertThat(published())
        .extracting(
            event -> event.path("type").asText() + " " + event.at("/payload/channel/id").asText())
        .containsExactly("STASIS_END continued", "STASIS_START missed");
    assertThat(published().get(1).at("/payload/args").toString()).isEqualTo("[\"a\",\"b\"]");
  }

  @Test
  void publishesEndEventsInOrder() throws Exception {
    routes.sendEvent(stasisStart("given"));
    routes.sendEvent(event("BridgeCreated", "\"bridge\":{\"id\":\"b\",\"channels\":[\"given\"]}"));
    routes.sendEvent(
        event("PlaybackStarted", "\"playback\":{\"id\":\"p\",\"target_uri\":\"channel:given\"}"));
    routes.sendEvent(
        event("PlaybackStarted", "\"playback\":{\"id\":\"p 2\",\"target_uri\":\"bridge:b\"}"));
    routes.sendEvent(
        event("RecordingStarted", "\"recording\":{\"name\":\"d/r\",\"target_uri\":\"bridge:b\"}"));
    String call = mapping("given").callContext();
    routes.resetTopics();
    stubAsterisk("[{\"name\":\"app\",\"channel_ids\":[]}]", "[]", "[]");
    // otherwise what is on the bridge has ended with it
    respond("/bridges", 500, "");
    respond("/bridges/b", 404, "{}");
    stubResponse("/playbacks/p%202", "{}");

    sendConnectionEvent("CONNECTED");

    assertThat(types())
        .containsExactlyInAnyOrder(
            "PLAYBACK_FINISHED", "RECORDING_FINISHED", "STASIS_END", "BRIDGE_DESTROYED");
    assertThat(types().subList(2, 4)).containsExactly("STASIS_END", "BRIDGE_DESTROYED");
    assertThat(published())
        .allSatisfy(
            event -> {
              assertThat(event.path("callContext").asText()).isEqualTo(call);
              assertThat(event.at("/payload/synthesized_by").asText()).isEqualTo("ari-proxy");
            });
    assertThat(mapping("given").ended()).isTrue();
    assertThat(asterisk.requestCount("GET", "/recordings/live/d%2Fr")).isOne();

    routes.resetTopics();
    sendConnectionEvent("CONNECTED");
    assertThat(types()).as("published once").isEmpty();
  }

  @Test
  void publishesChannelDestroyedForCommandCreatedChannel() throws Exception {
    command("POST", "/channels?endpoint=PJSIP/1&channelId=made&app=app");
    routes.sendEvent(stasisStart("made"));
    routes.resetTopics();
    stubAsterisk("[]", "[]", "[]");

    sendConnectionEvent("CONNECTED");

    assertThat(types()).containsExactly("STASIS_END", "CHANNEL_DESTROYED");
  }

  @Test
  void publishesStasisEndOfChannelInDialplan() throws Exception {
    routes.sendEvent(stasisStart("subscribed"));
    routes.resetTopics();
    stubAsterisk(APPLICATIONS, CHANNELS, "[]");

    sendConnectionEvent("CONNECTED");

    assertThat(types()).contains("STASIS_END");
    JsonNode end = published().get(0).path("payload");
    assertThat(end.at("/channel/dialplan/app_name").asText()).isEqualTo("Wait");
    assertThat(mapping("subscribed").ended()).isFalse();
  }

  @Test
  void publishesConnectionRestoredOncePerCall() throws Exception {
    routes.sendEvent(stasisStart("given"));
    routes.sendEvent(stasisStart("none"));
    routes.sendEvent(event("BridgeCreated", "\"bridge\":{\"id\":\"b\",\"channels\":[\"given\"]}"));
    stubAsterisk(APPLICATIONS, CHANNELS, "[{\"id\":\"b\"}]");
    routes.resetTopics();

    sendConnectionEvent("DISCONNECTED");
    sendConnectionEvent("CONNECTED");

    assertThat(types()).containsExactly("ARI_CONNECTION_RESTORED", "ARI_CONNECTION_RESTORED");
    JsonNode restored =
        published().stream()
            .filter(
                event -> event.path("callContext").asText().equals(mapping("given").callContext()))
            .findFirst()
            .orElseThrow();
    JsonNode payload = restored.path("payload");
    assertThat(payload.path("channels")).hasSize(1);
    assertThat(payload.at("/channels/0/id").asText()).isEqualTo("given");
    assertThat(payload.path("gap_start").asText())
        .isNotEmpty()
        .isLessThanOrEqualTo(payload.path("gap_end").asText());
    assertThat(restored.path("resources").toString()).contains("\"id\":\"given\"", "\"id\":\"b\"");

    routes.resetTopics();
    sendConnectionEvent("CONNECTED");
    assertThat(types()).as("no gap").isEmpty();
  }

  @Test
  void preservesMappingOfKnownChannel() {
    routes.sendEvent(
        "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":"
            + "{\"id\":\"none\",\"channelvars\":{\"CALL_CONTEXT\":\"moved\"}}}");
    sendConnectionEvent("CONNECTED");
    assertThat(mapping("none").callContext()).isEqualTo("moved");
  }

  @Test
  void sendsNoRequestOnDisconnect() {
    sendConnectionEvent("DISCONNECTED");
    assertThat(asterisk.requests()).isEmpty();
    assertThat(mapping("given")).isNull();
  }

  @Test
  void countsFailedResyncAndContinues() {
    asterisk.faults().clear();
    asterisk.faults().respondWith(request -> true, 403, "Forbidden");
    sendConnectionEvent("CONNECTED");
    assertThat(routes.counterValue(Meters.RESYNC_FAILURES)).isEqualTo(1);
    assertThat(asterisk.requests())
        .extracting(RecordedRequest::path)
        .hasSizeGreaterThanOrEqualTo(4);

    routes.sendEvent("{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"none\"}}");
    assertThat(routes.unmappedTopic().getReceivedExchanges()).hasSize(1);
  }

  @Test
  void countsFailureWithoutResyncRoute() throws Exception {
    routes.context().getRouteController().stopRoute("resync");
    routes.context().removeRoute("resync");
    sendConnectionEvent("CONNECTED");
    assertThat(routes.counterValue(Meters.RESYNC_FAILURES)).isEqualTo(1);
    assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
  }

  @Test
  void countsLostEventsWithoutPublishRoute() throws Exception {
    routes.context().getRouteController().stopRoute("publish-missed-events");
    routes.context().removeRoute("publish-missed-events");
    stubAsterisk("[{\"name\":\"app\",\"channel_ids\":[\"none\"]}]", CHANNELS, "[]");
    sendConnectionEvent("CONNECTED");
    assertThat(routes.counterValue(Meters.EVENTS_LOST)).isEqualTo(1);
  }

  @Test
  void eventsContinueWhenAsteriskHangs() throws Exception {
    restartWithResyncTimeout("100ms");
    asterisk.faults().clear();
    asterisk.faults().hang(request -> true);
    sendConnectionEvent("CONNECTED");
    routes.sendEvent(stasisStart("given"));
    assertThat(types()).containsExactly("STASIS_START");
    assertThat(routes.counterValue(Meters.RESYNC_FAILURES)).isZero();

    sendConnectionEvent("DISCONNECTED");
    assertThat(routes.gaugeValue(Meters.RESYNC_PENDING)).as("aborted").isZero();
  }

  @Test
  void gapEndsAfterItsStartAlthoughTheClockWasSetBack() throws Exception {
    sendConnectionEvent("CONNECTED");
    sendConnectionEvent("DISCONNECTED", "2026-01-01T12:00:00Z", Duration.ofSeconds(100));
    sendConnectionEvent("CONNECTED", "2026-01-01T11:00:00Z", Duration.ofSeconds(112));

    JsonNode restored =
        published().stream()
            .filter(event -> event.path("type").asText().equals("ARI_CONNECTION_RESTORED"))
            .findFirst()
            .orElseThrow()
            .path("payload");
    assertThat(time(restored.path("gap_end"))).isEqualTo(Instant.parse("2026-01-01T11:00:00Z"));
    assertThat(time(restored.path("gap_start"))).isEqualTo(Instant.parse("2026-01-01T10:59:48Z"));
  }

  private static Instant time(JsonNode node) {
    return Instant.ofEpochMilli(AsteriskTime.epochMillis(node.asText()));
  }

  @Test
  void publishesNoEventOnConnect() throws Exception {
    stubAsterisk("[]", "[]", "[]");
    sendConnectionEvent("CONNECTED");
    sendConnectionEvent("DISCONNECTED");
    assertThat(routes.mappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes.unmappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes.counterValue(Meters.EVENTS_MALFORMED)).isZero();
  }

  /** Sends a command that Asterisk executes successfully. */
  private void command(String method, String url) {
    stubResponse(url.split("\\?")[0], "{}");
    routes.sendCommand(
        "{'callContext':'call','commandId':'1','ariCommand':{'method':'"
            + method
            + "','url':'"
            + url
            + "'}}");
    routes.awaitResponse();
    routes.resetTopics();
  }

  private static String stasisStart(String channel) {
    return event("StasisStart", "\"channel\":{\"id\":\"" + channel + "\"}");
  }

  private static String playbackStarted(String id) {
    return event(
        "PlaybackStarted", "\"playback\":{\"id\":\"" + id + "\",\"target_uri\":\"channel:given\"}");
  }

  private static String event(String type, String fields) {
    return "{\"type\":\"" + type + "\",\"application\":\"app\"," + fields + "}";
  }

  private List<JsonNode> published() throws IOException {
    List<JsonNode> published = new ArrayList<>();
    for (Exchange exchange : routes.mappedTopic().getReceivedExchanges()) {
      JsonNode envelope = JSON.readTree(exchange.getMessage().getBody(byte[].class));
      if (!envelope.path("type").asText().equals("RESPONSE")) {
        published.add(envelope);
      }
    }
    return published;
  }

  private List<String> types() throws IOException {
    return published().stream().map(event -> event.path("type").asText()).toList();
  }

  /** Makes Asterisk return these resources, and no others. */
  private void stubAsterisk(String applications, String channels, String bridges) {
    asterisk.faults().clear();
    stubResponse(
        "/asterisk/info",
        "{\"system\":{\"entity_id\":\"ast\"},\"status\":{\"startup_time\":\"2026-11-25T10:23:27.987+0000\"}}");
    stubResponse("/applications", applications);
    stubResponse("/channels", channels);
    stubResponse("/bridges", bridges);
    asterisk.faults().respondWith(request -> request.uri().endsWith("/dtmf"), 409, "Not in Stasis");
  }

  /** Responds to exactly this path. */
  private void respond(String path, int status, String json) {
    asterisk
        .faults()
        .respondWith(
            request -> request.uri().equals("/ari" + path),
            status,
            "application/json",
            json.getBytes(StandardCharsets.UTF_8));
  }

  /** Sets Asterisk's status for DTMF without digits: 400 and 412 in Stasis, otherwise 409. */
  private void stubInStasis(String channel, int status) {
    respond("/channels/" + channel + "/dtmf", status, "{}");
  }

  private void sendConnectionEvent(String event) {
    routes
        .context()
        .createFluentProducerTemplate()
        .to("direct:asterisk")
        .withHeader(AhcWsConstants.EVENT, event)
        .request();
  }

  private void sendConnectionEvent(String event, String timeOfDay, Duration monotonic) {
    routes
        .context()
        .createFluentProducerTemplate()
        .to("direct:asterisk")
        .withHeader(AhcWsConstants.EVENT, event)
        .withHeader(Exchange.MESSAGE_TIMESTAMP, Instant.parse(timeOfDay).toEpochMilli())
        .withHeader(AhcWsConstants.EVENT_NANO_TIME, monotonic.toNanos())
        .request();
  }

  private void stubResponse(String path, String json) {
    asterisk
        .faults()
        .respondWith(
            request -> request.uri().startsWith("/ari" + path),
            200,
            "application/json",
            json.getBytes(StandardCharsets.UTF_8));
  }

  private Mapping mapping(String channel) {
    return cache().getIfPresent("CHANNEL:" + channel);
  }

  @SuppressWarnings("unchecked")
  private Cache<String, Mapping> cache() {
    return (Cache<String, Mapping>) routes.context().getRegistry().lookupByName("callContexts");
  }
}
