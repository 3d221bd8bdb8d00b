// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests on a real Asterisk that a resource created by a command belongs to the command's call from
 * its first event, whether the controller, the proxy or Asterisk chose the id.
 *
 * <p>Each command uses a new call context, since an event could otherwise be mapped through the
 * channel or bridge that the command plays to.
 *
 * @param suite the Debian suite
 * @param subscription the application's subscriptions in addition to its own channels, for events
 *     of second legs and of bridges without its channels
 */
@ExtendWith(KafkaExtension.class)
@ParameterizedClass
@CsvSource({"sid, ''", "bullseye, ''", "sid, 'channel:,bridge:'", "bullseye, 'channel:,bridge:'"})
record CreatedResourcesIT(String suite, String subscription) {

  private static final String APP = "created";
  private static final String LOCAL = "endpoint=Local/3002@default&app=" + APP;
  private static final String LOCAL_IN_BODY = "'endpoint':'Local/3002@default','app':'" + APP + "'";
  private static final String EXTERNAL_MEDIA =
      "app=" + APP + "&external_host=127.0.0.1:9&format=ulaw";
  private static final String OTHER_CALL = "the-stage";
  // different from the channel's: Asterisk stores an application's subscriptions by id only
  private static final String OTHER_BRIDGE = "the-bridge";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AtomicInteger callCounter = new AtomicInteger();

  private static final Closer CLOSER = new Closer();
  private static RealAsterisk asterisk;
  private static Controller controller;

  /** Creates resources of another call: a channel, and a bridge with a second channel. */
  @BeforeParameterizedClassInvocation
  static void start(String suite, String subscription, KafkaBroker kafka) {
    asterisk = CLOSER.register(RealAsterisk.start(suite));
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
    CLOSER.register(EmbeddedProxy.start(settings));
    controller = CLOSER.register(new Controller(settings, kafka));
    Awaitility.await("application registered")
        .until(
            () -> controller.execute(OTHER_CALL, "GET", "/applications/" + APP),
            response -> response.status() == 200);
    if (!subscription.isEmpty()) {
      assertSuccess(
          controller.execute(
              OTHER_CALL,
              "POST",
              "/applications/" + APP + "/subscription?eventSource=" + subscription));
    }
    for (String channel : List.of(OTHER_CALL, "walker")) {
      assertSuccess(
          controller.execute(OTHER_CALL, "POST", "/channels?" + LOCAL + "&channelId=" + channel));
      controller.event(OTHER_CALL, "STASIS_START", event -> resourceIds(event).contains(channel));
    }
    assertSuccess(controller.execute(OTHER_CALL, "POST", "/bridges/" + OTHER_BRIDGE));
    assertSuccess(
        controller.execute(
            OTHER_CALL, "POST", "/bridges/" + OTHER_BRIDGE + "/addChannel?channel=walker"));
    controller.event(
        OTHER_CALL, "CHANNEL_ENTERED_BRIDGE", event -> resourceIds(event).contains("walker"));
  }

  @AfterParameterizedClassInvocation
  static void stop() {
    CLOSER.close();
  }

  /** Sends an unmapped user event: when it arrives, all earlier unmapped events have arrived. */
  @AfterEach
  void assertNothingUnmapped() {
    String sentinel = "sentinel-" + callCounter.incrementAndGet();
    assertSuccess(
        controller.execute(OTHER_CALL, "POST", "/events/user/" + sentinel + "?application=" + APP));
    controller.awaitUnmapped(event -> sentinel.equals(userEventName(event)));
    assertThat(controller.unmapped())
        .filteredOn(event -> !userEventName(event).startsWith("sentinel-"))
        .isEmpty();
  }

  @ParameterizedTest(name = "{0} {1} {2}")
  @CsvSource(
      delimiter = '|',
      emptyValue = "",
      value = {
        "/channels?" + LOCAL + "&channelId=q1 | | q1 | q1;2",
        "/channels | {" + LOCAL_IN_BODY + ",'channelId':'b1'} | b1 | b1;2",
        "/channels?channelId=not | {" + LOCAL_IN_BODY + ",'channelId':'b2'} | b2 | b2;2",
        "/channels/p1?" + LOCAL + "&channelId=not | {'channelId':'not'} | p1 | p1;2",
        "/channels/p+2%2B%2F?" + LOCAL + " | | p 2+/ | p 2+/;2",
        "/channels?" + LOCAL + " | | | ;2",
        "/channels | {" + LOCAL_IN_BODY + ",'channelId':7} | | ;2",
        "/channels?" + LOCAL + "&channelId=q3&otherChannelId=o3 | | q3 | o3",
        "/channels/p4?" + LOCAL + " | {'otherChannelId':'o4'} | p4 | o4",
        "/channels?" + LOCAL + "&otherChannelId=o5 | | | o5"
      })
  void mapsOriginatedChannelAndSecondLeg(String url, String body, String id, String secondLeg) {
    String call = "originated-" + callCounter.incrementAndGet();
    String created = create(call, url, body, id, 0);
    String secondChannel = secondLeg.startsWith(";") ? created + secondLeg : secondLeg;
    controller.event(call, "STASIS_START", event -> resourceIds(event).contains(created));
    assertFirstEventBelongsTo(call, secondChannel);
    hangUp(call, created);
  }

  /** Without a subscription, the application receives no event of its second leg. */
  @Test
  void mapsChannelOriginatedIntoDialplan() {
    String call = "dialplan-" + callCounter.incrementAndGet();
    String url = "/channels?endpoint=lOCAL/3002@default&context=default&priority=1&extension=app-";
    String created = create(call, url + APP, null, null, 0);
    controller.event(call, "STASIS_START", event -> resourceIds(event).contains(created));
    if (!subscription.isEmpty()) {
      assertFirstEventBelongsTo(call, created + ";2");
    }
    assertSuccess(controller.execute(call, "DELETE", "/channels/" + created));
    controller.event(call, "STASIS_END", event -> resourceIds(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/create?" + LOCAL + "&channelId=c1 | | c1 | c1;2",
        "/channels/create | {" + LOCAL_IN_BODY + ",'channelId':'c2'} | c2 | c2;2",
        "/channels/create?" + LOCAL + " | | | ;2",
        "/channels/create?" + LOCAL + "&channelId=c3&otherChannelId=c4 | | c3 | c4",
        "/channels/create?" + LOCAL + "&otherChannelId=c5 | | | c5"
      })
  void mapsCreatedChannelDialedLater(String url, String body, String id, String secondLeg) {
    int number = callCounter.incrementAndGet();
    String call = "created-" + number;
    // the second leg of another run can still exist
    UnaryOperator<String> unique =
        text -> text == null ? null : text.replaceAll("\\b(c\\d)\\b", "$1-" + number);
    String otherLeg = unique.apply(secondLeg);
    String created = create(call, unique.apply(url), unique.apply(body), unique.apply(id), 0);
    controller.event(call, "STASIS_START", event -> resourceIds(event).contains(created));
    assertSuccess(
        controller.execute(call, "POST", "/channels/" + created + "/dial?caller=" + OTHER_CALL));
    // Asterisk sends no Dial with ANSWER if the channel has been answered before it waits for that
    controller.event(
        call,
        "CHANNEL_STATE_CHANGE",
        event ->
            resourceIds(event).contains(created)
                && event.payload().at("/channel/state").asText().equals("Up"));
    if (!subscription.isEmpty()) {
      assertFirstEventBelongsTo(call, otherLeg.startsWith(";") ? created + otherLeg : otherLeg);
    }
    hangUp(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/externalMedia?" + EXTERNAL_MEDIA + "&channelId=e1 | | e1",
        "/channels/externalMedia?" + EXTERNAL_MEDIA + " | {'channelId':'e2'} | e2",
        "/channels/externalMedia?" + EXTERNAL_MEDIA + " | | ",
      })
  void mapsExternalMediaChannel(String url, String body, String id) {
    String call = "external-" + callCounter.incrementAndGet();
    String created = create(call, url, body, id, 0);
    controller.event(call, "STASIS_START", event -> resourceIds(event).contains(created));
    hangUp(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/channels/the-stage/snoop/s1?spy=both&app=" + APP + " | | s1",
        "/channels/the-stage/snoop?spy=both&snoopId=s2&app=" + APP + " | | s2",
        "/channels/the-stage/snoop?spy=both&app=" + APP + " | {'snoopId':'s3'} | s3",
        "/channels/the-stage/snoop?spy=both&app=" + APP + " | | "
      })
  void mapsSnoopChannel(String url, String body, String id) {
    String call = "snoop-" + callCounter.incrementAndGet();
    String created = create(call, url, body, id, 1);
    controller.event(call, "STASIS_START", event -> resourceIds(event).contains(created));
    assertSuccess(controller.execute(call, "DELETE", "/channels/" + created));
    controller.event(call, "STASIS_END", event -> resourceIds(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "/bridges/g1 | | g1",
        "/bridges?bridgeId=g2 | | g2",
        "/bridges | {'bridgeId':'g3'} | g3",
        "/bridges | | "
      })
  void mapsBridge(String url, String body, String id) {
    String call = "bridge-" + callCounter.incrementAndGet();
    String created = create(call, url, body, id, 0);
    String source = "/applications/" + APP + "/subscription?eventSource=bridge:" + created;
    assertSuccess(controller.execute(call, "POST", source));
    assertSuccess(controller.execute(call, "DELETE", "/bridges/" + created));
    controller.event(call, "BRIDGE_DESTROYED", event -> resourceIds(event).contains(created));
    assertAllEventsBelongTo(call, created);
  }

  @ParameterizedTest(name = "{0} {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "play/y1?media=tone:ring | | y1",
        "play?media=tone:ring&playbackId=y2 | | y2",
        "play?media=tone:ring | {'playbackId':'y3'} | y3",
        "play?media=tone:ring | | ",
        "play | {'media':'tone:ring'} | "
      })
  void mapsPlaybackOnChannelAndBridge(String url, String body, String id) {
    for (String target : List.of("/channels/" + OTHER_CALL, "/bridges/" + OTHER_BRIDGE)) {
      String call = "playback-" + callCounter.incrementAndGet();
      String created = create(call, target + "/" + url, body, id, 1);
      controller.event(call, "PLAYBACK_STARTED", event -> resourceIds(event).contains(created));
      assertSuccess(controller.execute(call, "DELETE", "/playbacks/" + created));
      controller.event(call, "PLAYBACK_FINISHED", event -> resourceIds(event).contains(created));
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"?name={0}&", "?"})
  void mapsRecordingOfChannelAndBridge(String query) {
    for (String target : List.of("/channels/" + OTHER_CALL, "/bridges/" + OTHER_BRIDGE)) {
      String call = "recording-" + callCounter.incrementAndGet();
      String url =
          target + "/record" + query.replace("{0}", call) + "format=wav&ifExists=overwrite";
      create(call, url, query.equals("?") ? "{'name':'" + call + "'}" : null, call, 1);
      controller.event(call, "RECORDING_STARTED", event -> resourceIds(event).contains(call));
      assertSuccess(controller.execute(call, "POST", "/recordings/live/" + call + "/stop"));
      controller.event(call, "RECORDING_FINISHED", event -> resourceIds(event).contains(call));
    }
  }

  @Test
  void publishesEventOfTwoCallsToBoth() {
    String call = "guest-" + callCounter.incrementAndGet();
    create(call, "/channels?" + LOCAL, "{'channelId':'" + call + "'}", call, 0);
    controller.event(call, "STASIS_START", event -> event.isOfChannel(call));
    String bridge = "/bridges/" + OTHER_BRIDGE;
    for (String operation : List.of("/addChannel", "/removeChannel")) {
      assertSuccess(
          controller.execute(OTHER_CALL, "POST", bridge + operation + "?channel=" + call));
    }

    for (String type : List.of("CHANNEL_ENTERED_BRIDGE", "CHANNEL_LEFT_BRIDGE")) {
      EventEnvelope own = controller.event(call, type);
      EventEnvelope copy = controller.event(OTHER_CALL, type, event -> event.isOfChannel(call));
      assertThat(own.resources()).extracting(Resource::id).containsExactly(call, OTHER_BRIDGE);
      assertThat(copy.resources()).extracting(Resource::id).containsExactly(OTHER_BRIDGE, call);
      assertThat(List.of(own, copy))
          .allSatisfy(event -> assertThat(event.callContexts()).containsExactly(call, OTHER_CALL));
      assertThat(copy.payloadText()).isEqualTo(own.payloadText());
    }
    hangUp(call, call);
  }

  /**
   * Another channel picks up the ringing one and enters Stasis in its place: with its variables,
   * but under its own id.
   */
  @Test
  void variableMapsChannelThatPicksUp() {
    if (!subscription.isEmpty()) {
      // the events before it picks up are of no call
      return;
    }
    asterisk.runCli("module load app_directed_pickup.so");
    String call = "ringing-" + callCounter.incrementAndGet();
    Response response =
        controller.response(
            controller.send(
                call,
                "POST",
                "/channels/" + call + "?endpoint=Local/3004@default&app=" + APP,
                JSON.createObjectNode()
                    .set("variables", JSON.createObjectNode().put("CALL_CONTEXT", call))));
    assertSuccess(response);
    controller.event(
        call, "DIAL", event -> event.payload().path("dialstatus").asText().equals("RINGING"));

    asterisk.runCli(
        "channel originate Local/3002@default application PickupChan "
            + response.body().path("name").asText());

    controller.event(call, "CHANNEL_DESTROYED", event -> event.isOfChannel(call));
    EventEnvelope started = controller.event(call, "STASIS_START");
    assertThat(started.isOfChannel(call)).isFalse();
    assertSuccess(controller.execute(call, "DELETE", "/channels/" + started.channelId()));
    controller.event(call, "STASIS_END");
  }

  /** Sends a command that creates a resource and returns the id in its RESPONSE. */
  private static String create(String call, String url, String body, String id, int resourceIndex) {
    JsonNode json;
    try {
      json = body == null ? null : JSON.readTree(body.replace('\'', '"'));
    } catch (IOException e) {
      throw new IllegalArgumentException(body, e);
    }
    Response response = controller.response(controller.send(call, "POST", url, json));
    assertSuccess(response);
    String reportedId = response.resources().get(resourceIndex).id();
    assertThat(response.body().path("id").asText(response.body().path("name").asText()))
        .isEqualTo(reportedId);
    if (id != null) {
      assertThat(reportedId).isEqualTo(id);
    }
    return reportedId;
  }

  private static void assertFirstEventBelongsTo(String call, String id) {
    EventEnvelope first = controller.awaitEvent(event -> resourceIds(event).contains(id));
    assertThat(first.key()).as("%s", first).isEqualTo(call);
  }

  private static void hangUp(String call, String channel) {
    String encoded = URLEncoder.encode(channel, StandardCharsets.UTF_8);
    assertSuccess(controller.execute(call, "DELETE", "/channels/" + encoded));
    controller.event(call, "CHANNEL_DESTROYED", event -> resourceIds(event).contains(channel));
    assertAllEventsBelongTo(call, channel);
  }

  private static void assertAllEventsBelongTo(String call, String id) {
    assertThat(controller.events())
        .filteredOn(event -> resourceIds(event).contains(id))
        .isNotEmpty()
        .allMatch(event -> call.equals(event.key()) || event.callContexts().contains(call));
  }

  /** Returns the ids in an event. */
  private static Set<String> resourceIds(EventEnvelope event) {
    return Stream.of("/channel/id", "/peer/id", "/bridge/id", "/playback/id", "/recording/name")
        .map(pointer -> event.payload().at(pointer).asText())
        .collect(Collectors.toSet());
  }

  private static String userEventName(EventEnvelope event) {
    return event.payload().path("eventname").asText();
  }

  private static void assertSuccess(Response response) {
    assertThat(response.status()).as("%s", response).isBetween(200, 299);
  }
}
