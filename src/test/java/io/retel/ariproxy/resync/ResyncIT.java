// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that events missed on a real Asterisk are published at the next connect
 * (docs/contract.md#outages).
 */
class ResyncIT {

  private static final String APP = "ari-proxy-gap";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;

  @Test
  void publishesMissedEventsAfterProxyKill() {
    publishesMissedEventsAfterProxyKill("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void publishesMissedEventsAfterProxyKillOnAsterisk16() {
    publishesMissedEventsAfterProxyKill("bullseye");
  }

  private void publishesMissedEventsAfterProxyKill(String suite) {
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    ProxyProcess proxy = fixture.startProxyProcess(folder.resolve("proxy.log"));
    Controller controller = fixture.controller();
    String ongoingChannel = startCall(asterisk, controller, "staying-" + suite);
    String endedChannel = startCall(asterisk, controller, "ending-" + suite);
    // two calls whose call contexts only commands have set
    originate(controller, "made-" + suite, "made-channel-" + suite);
    originate(controller, "gone-" + suite, "gone-channel-" + suite);
    controller.execute("gone-" + suite, "POST", "/bridges/gone-bridge-" + suite);
    controller.execute("made-" + suite, "POST", "/bridges/made-bridge-" + suite);
    startPlayback(controller, "made-" + suite, "made-channel-" + suite, "made-playback-" + suite);
    startRecording(controller, "gone-" + suite, "gone-channel-" + suite, "gone-recording-" + suite);
    EventEnvelope redirected =
        originate(controller, "redirected-" + suite, "redirected-channel-" + suite);
    EventEnvelope continued =
        originate(controller, "continued-" + suite, "continued-channel-" + suite);

    controller.awaitCommitted();
    proxy.freeze();
    asterisk.originateLastingCall("ctx-arriving-" + suite + "~" + APP);
    asterisk.request("DELETE", "/playbacks/made-playback-" + suite);
    asterisk.request("DELETE", "/channels/" + endedChannel);
    asterisk.request("DELETE", "/channels/gone-channel-" + suite);
    asterisk.request("DELETE", "/bridges/gone-bridge-" + suite);
    // another client uses the id again
    asterisk.request("POST", "/bridges?bridgeId=gone-bridge-" + suite);
    // changes their creation time
    redirect(asterisk, continued, "3001");
    redirect(asterisk, redirected, "app-" + APP);
    asterisk.await(
        "/channels/" + redirected.channelId(),
        channel ->
            channel.at("/dialplan/app_name").asText().equals("Stasis")
                && !channel
                    .path("creationtime")
                    .equals(redirected.payload().at("/channel/creationtime")));
    // ended and redirected channels linger
    asterisk.await(
        "/channels",
        channels ->
            countChannels(channels, "Stasis") == 4
                && StreamSupport.stream(channels.spliterator(), false)
                    .filter(channel -> channel.path("name").asText().contains("ctx-arriving"))
                    .anyMatch(
                        channel -> channel.at("/dialplan/app_name").asText().equals("Stasis")));
    proxy.kill();
    proxy.start();

    EventEnvelope stasisStart =
        awaitSyntheticEvent(controller, "arriving-" + suite, "STASIS_START");
    String newChannel = stasisStart.channelId();
    awaitSyntheticEvent(controller, "made-" + suite, "PLAYBACK_FINISHED");
    awaitSyntheticEvent(controller, "gone-" + suite, "RECORDING_FINISHED");
    awaitSyntheticEvent(controller, "gone-" + suite, "STASIS_END");
    awaitSyntheticEvent(controller, "gone-" + suite, "CHANNEL_DESTROYED");
    awaitSyntheticEvent(controller, "gone-" + suite, "BRIDGE_DESTROYED");
    awaitSyntheticEvent(controller, "ending-" + suite, "STASIS_END");
    assertThat(
            awaitSyntheticEvent(controller, "staying-" + suite, "ARI_CONNECTION_RESTORED")
                .payload()
                .at("/channels/0/id")
                .asText())
        .isEqualTo(ongoingChannel);
    assertThat(
            awaitSyntheticEvent(controller, "made-" + suite, "ARI_CONNECTION_RESTORED").resources())
        .extracting(Resource::id)
        .contains("made-channel-" + suite, "made-bridge-" + suite);

    awaitSyntheticEvent(controller, "continued-" + suite, "STASIS_END");
    for (EventEnvelope moved : List.of(redirected, continued)) {
      assertThat(
              awaitSyntheticEvent(controller, moved.key(), "ARI_CONNECTION_RESTORED").resources())
          .extracting(Resource::id)
          .contains(moved.channelId());
    }

    // all calls continue
    controller
        .execute("arriving-" + suite, "POST", "/channels/" + newChannel + "/answer")
        .assertStatus(204);
    controller
        .execute("made-" + suite, "DELETE", "/channels/made-channel-" + suite)
        .assertStatus(204);
    controller.event(
        "made-" + suite,
        "CHANNEL_DESTROYED",
        event -> event.isOfChannel("made-channel-" + suite) && !event.isSynthetic());
    controller
        .execute("staying-" + suite, "DELETE", "/channels/" + ongoingChannel)
        .assertStatus(204);
    controller.event("staying-" + suite, "STASIS_END", event -> !event.isSynthetic());
    for (EventEnvelope moved : List.of(redirected, continued)) {
      controller.execute(moved.key(), "DELETE", "/channels/" + moved.channelId()).assertStatus(204);
    }
    controller.event(redirected.key(), "CHANNEL_DESTROYED", event -> !event.isSynthetic());
    assertThat(controller.events())
        .filteredOn(event -> List.of(redirected.key(), continued.key()).contains(event.key()))
        .filteredOn(EventEnvelope::isSynthetic)
        .extracting(event -> event.key() + " " + event.payload().path("type").asText())
        .containsExactlyInAnyOrder(
            redirected.key() + " AriConnectionRestored",
            continued.key() + " StasisEnd",
            continued.key() + " AriConnectionRestored");
    assertThat(controller.unmapped()).isEmpty();
    assertThat(countConnectionRestored(controller, "gone-" + suite)).isZero();
    assertThat(countConnectionRestored(controller, "ending-" + suite)).isZero();
    assertThat(countConnectionRestored(controller, "staying-" + suite)).isOne();
  }

  @Test
  void publishesEndEventsAfterAsteriskRestart() {
    publishesEndEventsAfterAsteriskRestart("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void publishesEndEventsAfterAsteriskRestartOnAsterisk16() {
    publishesEndEventsAfterAsteriskRestart("bullseye");
  }

  private void publishesEndEventsAfterAsteriskRestart(String suite) {
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    fixture.startProxy();
    Controller controller = fixture.controller();
    startCall(asterisk, controller, "call-" + suite);
    originate(controller, "made-" + suite, "made-" + suite);
    controller.execute("made-" + suite, "POST", "/bridges/bridge-" + suite);
    startPlayback(controller, "made-" + suite, "made-" + suite, "playback-" + suite);

    controller.execute(
        "setup", "POST", "/applications/" + APP + "/subscription?eventSource=deviceState:Stasis:x");
    subscribe(
            controller, IntStream.range(0, 1_000).mapToObj(i -> "deviceState:PJSIP/" + i).toList())
        .assertStatus(200);
    // Asterisk subscribes to those before the first that does not exist
    subscribe(
            controller,
            List.of("deviceState:before", "endpoint:PJSIP/unknown", "deviceState:after"))
        .assertStatus(422);
    asterisk.await(
        "/applications/" + APP,
        application ->
            deviceNames(application).size() == 1_002
                && deviceNames(application).contains("before")
                && !deviceNames(application).contains("after"));
    ObjectNode filter = JsonNodeFactory.instance.objectNode();
    filter.putArray("disallowed").addObject().put("type", "ChannelDialplan");
    controller.response(
        controller.send("setup", "PUT", "/applications/" + APP + "/eventFilter", filter));

    asterisk.kill();
    asterisk.start();

    awaitSyntheticEvent(controller, "call-" + suite, "STASIS_END");
    awaitSyntheticEvent(controller, "made-" + suite, "PLAYBACK_FINISHED");
    awaitSyntheticEvent(controller, "made-" + suite, "STASIS_END");
    awaitSyntheticEvent(controller, "made-" + suite, "CHANNEL_DESTROYED");
    awaitSyntheticEvent(controller, "made-" + suite, "BRIDGE_DESTROYED");
    assertThat(countConnectionRestored(controller, "call-" + suite)).isZero();
    assertThat(countConnectionRestored(controller, "made-" + suite)).isZero();
    asterisk.await(
        "/applications/" + APP,
        application ->
            application.path("device_names").size() == 1_001
                && deviceNames(application).contains("Stasis:x")
                && application.at("/events_disallowed/0/type").asText().equals("ChannelDialplan"));
  }

  private static Response subscribe(Controller controller, List<String> sources) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    sources.forEach(body.putArray("eventSource")::add);
    return controller.response(
        controller.send("setup", "POST", "/applications/" + APP + "/subscription", body));
  }

  private static List<String> deviceNames(JsonNode application) {
    return StreamSupport.stream(application.path("device_names").spliterator(), false)
        .map(JsonNode::asText)
        .toList();
  }

  @Test
  @FullRun("a restart; with the same id: publishesEndEventsAfterAsteriskRestart")
  void publishesEventsOfAsteriskWithAnotherId() {
    publishesEventsOfAsteriskWithAnotherId("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void publishesEventsOfAsteriskWithAnotherIdOnAsterisk16() {
    publishesEventsOfAsteriskWithAnotherId("bullseye");
  }

  /** The id is in events and in generated call contexts; no mapping depends on it. */
  private void publishesEventsOfAsteriskWithAnotherId(String suite) {
    String id = "02:fc:00:00:00:77";
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    startCall(asterisk, controller, "call-" + suite);
    asterisk.originateLastingCall("app-" + APP);
    EventEnvelope generated =
        controller.awaitEvent(
            event -> event.hasType("STASIS_START") && !event.key().equals("call-" + suite));
    originate(controller, "made-" + suite, "made-" + suite);

    asterisk.kill();
    asterisk.startWithEntityId(id);

    for (String call : List.of("call-" + suite, "made-" + suite, generated.key())) {
      EventEnvelope end = awaitSyntheticEvent(controller, call, "STASIS_END");
      assertThat(end.payload().path("asterisk_id").asText()).isEqualTo(id);
    }
    awaitSyntheticEvent(controller, "made-" + suite, "CHANNEL_DESTROYED");

    // new calls, one with the id of an ended channel
    EventEnvelope second = originate(controller, "second-" + suite, "made-" + suite);
    assertThat(second.payload().path("asterisk_id").asText()).isEqualTo(id);
    asterisk.originateLastingCall("app-" + APP);
    EventEnvelope start =
        controller.awaitEvent(
            event ->
                event.hasType("STASIS_START")
                    && event.channelId().matches("[0-9.]+")
                    && event.payload().path("asterisk_id").asText().equals(id));
    assertThat(start.key()).isNotEqualTo(generated.key());
    proxy.managedBean("Websocket").invoke("reconnect");

    // they continue
    for (String call : List.of("second-" + suite, start.key())) {
      assertThat(
              controller
                  .event(call, "ARI_CONNECTION_RESTORED")
                  .payload()
                  .path("asterisk_id")
                  .asText())
          .isEqualTo(id);
    }
    controller.execute(start.key(), "DELETE", "/channels/" + start.channelId()).assertStatus(204);
    controller.event(start.key(), "STASIS_END", event -> !event.isSynthetic());
    controller.execute("second-" + suite, "DELETE", "/channels/made-" + suite).assertStatus(204);
    controller.event("second-" + suite, "CHANNEL_DESTROYED", event -> !event.isSynthetic());
    for (String call : List.of("call-" + suite, "made-" + suite, generated.key())) {
      assertThat(countConnectionRestored(controller, call)).isZero();
    }
    assertThat(controller.unmapped()).isEmpty();
  }

  /** One channel that Asterisk cannot describe fails {@code GET /channels} (22.10.1 and 16.28). */
  @Test
  void publishesMissedEventsAlthoughAsteriskCannotDescribeOneChannel() {
    publishesMissedEventsAlthoughAsteriskCannotDescribeOneChannel("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void publishesMissedEventsAlthoughAsteriskCannotDescribeOneChannelOnAsterisk16() {
    publishesMissedEventsAlthoughAsteriskCannotDescribeOneChannel("bullseye");
  }

  private void publishesMissedEventsAlthoughAsteriskCannotDescribeOneChannel(String suite) {
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    EmbeddedProxy firstProxy = fixture.startProxy();
    Controller controller = fixture.controller();
    startCall(asterisk, controller, "alive-" + suite);
    String endedChannel = startCall(asterisk, controller, "over-" + suite);
    originate(controller, "continued-" + suite, "continued-" + suite);
    // the extension is not UTF-8
    asterisk.request(
        "POST",
        "/channels?endpoint=Local/raw-%FC~"
            + APP
            + "@default&context=default&extension=3001&timeout=600");
    asterisk.await(
        "/applications/" + APP, application -> application.path("channel_ids").size() == 5);
    assertThat(asterisk.request("GET", "/channels")).isEqualTo("{\"error\":\"Allocation failed\"}");
    firstProxy.close();

    asterisk.request("DELETE", "/channels/" + endedChannel);
    // stays listed in the application, as a channel that a command created
    asterisk.request(
        "POST", "/channels/continued-" + suite + "/continue?context=default&extension=3001");
    EmbeddedProxy proxy = fixture.startProxy();

    awaitSyntheticEvent(controller, "over-" + suite, "STASIS_END");
    awaitSyntheticEvent(controller, "continued-" + suite, "STASIS_END");
    awaitSyntheticEvent(controller, "alive-" + suite, "ARI_CONNECTION_RESTORED");
    Awaitility.await("all other channels compared")
        .until(
            () ->
                proxy.gauge("ari-proxy.resync.undescribable") == 1
                    && proxy.gauge("ari-proxy.resync.pending") == 0);
    assertThat(proxy.health("resync")).isEqualTo("UP");
    assertThat(proxy.healthDetail("resync", "undescribable")).isEqualTo(1L);

    asterisk.await(
        "/applications/" + APP,
        application -> {
          JsonNode listed = application.path("channel_ids");
          listed.forEach(id -> asterisk.request("DELETE", "/channels/" + id.asText()));
          return listed.isEmpty();
        });
    Awaitility.await("end of the undescribable channel")
        .until(() -> proxy.gauge("ari-proxy.resync.undescribable") == 0);
    assertThat(
            controller.events().stream()
                .filter(event -> event.hasType("STASIS_END"))
                .filter(event -> ("alive-" + suite).equals(event.key()))
                .filter(EventEnvelope::isSynthetic))
        .isEmpty();
  }

  /** Such a channel shows another dialplan application than Stasis (22.10.1). */
  @Test
  void channelClaimedFromBroadcastSurvivesReconnect() {
    RealAsterisk asterisk = fixture.startRealAsterisk("sid");
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    asterisk.originateLastingCall("broadcast-claimed");
    String channel = controller.event("claimed", "CALL_BROADCAST").channelId();
    controller
        .execute("claimed", "POST", "/events/claim?channelId=" + channel + "&application=" + APP)
        .assertStatus(204);
    assertThat(controller.event("claimed", "STASIS_START").payload().path("args").toString())
        .isEqualTo("[\"a\",\"b\"]");

    proxy.managedBean("Websocket").invoke("reconnect");

    assertThat(
            controller.event("claimed", "ARI_CONNECTION_RESTORED").payload().at("/channels/0/id"))
        .hasToString("\"" + channel + "\"");
    controller
        .execute("claimed", "POST", "/channels/" + channel + "/variable?variable=x&value=y")
        .assertStatus(204);
    assertThat(controller.events()).noneMatch(event -> event.hasType("STASIS_END"));

    proxy.close();
    asterisk.request("DELETE", "/channels/" + channel);
    fixture.startProxy();

    awaitSyntheticEvent(controller, "claimed", "STASIS_END");
    // after all events of the resync; Asterisk reports no ChannelDestroyed of a claimed channel
    asterisk.originateLastingCall("ctx-claimed~" + APP);
    controller.event("claimed", "STASIS_START", event -> !event.isOfChannel(channel));
    assertThat(controller.events()).noneMatch(event -> event.hasType("CHANNEL_DESTROYED"));
  }

  private static long countChannels(JsonNode channels, String application) {
    return StreamSupport.stream(channels.spliterator(), false)
        .filter(channel -> channel.at("/dialplan/app_name").asText().equals(application))
        .count();
  }

  private static long countConnectionRestored(Controller controller, String callContext) {
    return controller.events().stream()
        .filter(record -> callContext.equals(record.key()))
        .filter(event -> event.hasType("ARI_CONNECTION_RESTORED"))
        .count();
  }

  private static EventEnvelope awaitSyntheticEvent(
      Controller controller, String callContext, String type) {
    return controller.event(callContext, type, EventEnvelope::isSynthetic);
  }

  private static String startCall(
      RealAsterisk asterisk, Controller controller, String callContext) {
    asterisk.originateLastingCall("ctx-" + callContext + "~" + APP);
    return controller.event(callContext, "STASIS_START").channelId();
  }

  private static EventEnvelope originate(
      Controller controller, String callContext, String channel) {
    controller.execute(
        callContext,
        "POST",
        "/channels?endpoint=Local/3001@default&app=" + APP + "&channelId=" + channel);
    return controller.event(callContext, "STASIS_START");
  }

  private static void redirect(RealAsterisk asterisk, EventEnvelope start, String extension) {
    asterisk.runCli(
        "channel redirect "
            + start.payload().at("/channel/name").asText()
            + " default,"
            + extension
            + ",1");
  }

  private static void startPlayback(
      Controller controller, String callContext, String channel, String playback) {
    // long enough to last
    controller.execute(
        callContext, "POST", "/channels/" + channel + "/play/" + playback + "?media=tone:ring");
    controller.event(callContext, "PLAYBACK_STARTED");
  }

  private static void startRecording(
      Controller controller, String callContext, String channel, String name) {
    controller.execute(
        callContext,
        "POST",
        "/channels/" + channel + "/record?format=wav&ifExists=overwrite&name=" + name);
    controller.event(callContext, "RECORDING_STARTED");
  }
}
