// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests the outcomes of an event with a real Kafka: published unchanged, or counted. */
class EventOutcomesIT {

  private static final String APP = "events";

  @RegisterExtension private static final ProxyExtension FIXTURE = new ProxyExtension(APP);

  private static SimulatedAsterisk asterisk;
  private static EmbeddedProxy proxy;
  private static Controller controller;

  @BeforeAll
  static void start() {
    asterisk = FIXTURE.startSimulatedAsterisk();
    proxy = FIXTURE.startProxy();
    controller = FIXTURE.controller();
  }

  @AfterEach
  void publishesNextCall() {
    String call = asterisk.call(APP).id();
    controller.awaitEvent(event -> isStasisStart(event, call));
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }

  @Test
  void usesDialplanCallContextAsKey() {
    SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "from-the-dialplan"));

    EventEnvelope start = controller.awaitEvent(event -> isStasisStart(event, call.id()));

    assertThat(start.key()).isEqualTo("from-the-dialplan");
    assertThat(start.callContext()).isEqualTo("from-the-dialplan");
  }

  /** Kafka's key is UTF-8, which has no code for an unpaired surrogate. */
  @Test
  void keyEqualsCallContextWithUnpairedSurrogate() {
    asterisk.emit(
        APP,
        "{\"type\":\"StasisStart\",\"application\":\""
            + APP
            + "\",\"channel\":{\"id\":\"unpaired\","
            + "\"channelvars\":{\"CALL_CONTEXT\":\"a\\ud800b\"}}}");

    EventEnvelope start = controller.awaitEvent(event -> isStasisStart(event, "unpaired"));

    assertThat(start.key()).isEqualTo("a?b").isEqualTo(start.callContext());
  }

  @Test
  void generatesOneCallContextPerCall() {
    SimulatedCall call = asterisk.call(APP);
    EventEnvelope start = controller.awaitEvent(event -> isStasisStart(event, call.id()));

    call.hangup();

    EventEnvelope end = controller.event(start.key(), "STASIS_END");
    assertThat(start.key()).isNotBlank();
    assertThat(end.record().partition()).isEqualTo(start.record().partition());
  }

  @Test
  void publishesFragmentedEventUnchanged() {
    String event = userEvent("fragmented", "\u00fc\u20ac\ud83d\ude00".repeat(300));
    asterisk.websocketFaults(APP).sendFragmented(event, 7);

    assertThat(awaitUnmapped("fragmented").payloadText()).isEqualTo(event);
  }

  @Test
  void publishesLargeEventUnchanged() {
    String event = userEvent("large", "x".repeat(900_000));
    asterisk.emit(APP, event);

    assertThat(awaitUnmapped("large").payloadText()).isEqualTo(event);
  }

  @Test
  void countsOversizedEventAsLost() {
    double before = proxy.counter("ari-proxy.events.lost");

    asterisk.emit(APP, userEvent("too-large", "x".repeat(2_000_000)));

    awaitCount("ari-proxy.events.lost", before + 1);
  }

  @Test
  void publishesEventsOfTwoCallsInOrderToBoth() {
    String channel = guestOfOtherBridge();

    for (int i = 0; i < 200; i++) {
      asterisk.emit(APP, enteredBridge(channel, i, ""));
    }

    for (String callContext : List.of("guest", "host")) {
      controller.event(callContext, "CHANNEL_ENTERED_BRIDGE", event -> number(event) == 199);
      assertThat(controller.events())
          .filteredOn(event -> callContext.equals(event.key()))
          .filteredOn(event -> event.hasType("CHANNEL_ENTERED_BRIDGE") && number(event) < 1_000)
          .extracting(EventOutcomesIT::number)
          .containsExactlyElementsOf(IntStream.range(0, 200).boxed().toList());
    }
  }

  @Test
  void countsOversizedEventOfTwoCallsOnce() {
    String channel = guestOfOtherBridge();
    double before = proxy.counter("ari-proxy.events.lost");

    asterisk.emit(APP, enteredBridge(channel, 1_000, "x".repeat(2_000_000)));
    asterisk.emit(APP, enteredBridge(channel, 1_001, ""));

    controller.event("host", "CHANNEL_ENTERED_BRIDGE", event -> number(event) == 1_001);
    awaitCount("ari-proxy.events.lost", before + 1);
  }

  /** Starts a call, and another one with a bridge; returns the channel of the first. */
  private static String guestOfOtherBridge() {
    String host = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "host")).id();
    String guest = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "guest")).id();
    asterisk.emit(
        APP,
        "{\"type\":\"BridgeCreated\",\"bridge\":{\"id\":\"of-host\",\"channels\":[\""
            + host
            + "\"]}}");
    return guest;
  }

  private static String enteredBridge(String channel, int number, String padding) {
    return "{\"type\":\"ChannelEnteredBridge\",\"bridge\":{\"id\":\"of-host\",\"channels\":[]},"
        + "\"channel\":{\"id\":\""
        + channel
        + "\"},\"n\":"
        + number
        + ",\"padding\":\""
        + padding
        + "\"}";
  }

  private static int number(EventEnvelope event) {
    return event.payload().path("n").intValue();
  }

  @Test
  void countsMalformedEvents() {
    double before = proxy.counter("ari-proxy.events.malformed");

    asterisk.websocketFaults(APP).sendText("no JSON".getBytes(StandardCharsets.UTF_8));
    asterisk.websocketFaults(APP).sendBinary(new byte[] {1, 2, 3});

    awaitCount("ari-proxy.events.malformed", before + 2);
  }

  @Test
  void logsApplicationReplacedWithoutPublishing() {
    double before = proxy.counter("ari-proxy.events.internal");
    try (CapturedLog log = new CapturedLog()) {
      asterisk.emit(APP, "{\"type\":\"ApplicationReplaced\",\"application\":\"" + APP + "\"}");

      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(log.lines(Level.ERROR))
                      .singleElement()
                      .asString()
                      .contains("Another client", APP));
      awaitCount("ari-proxy.events.internal", before + 1);
      assertThat(controller.unmapped())
          .extracting(EventEnvelope::type)
          .doesNotContain("APPLICATION_REPLACED");
    }
  }

  @Test
  void publishesEventWithoutCallToUnmappedTopic() {
    double before = proxy.counter("ari-proxy.events.unmapped");

    asterisk.emit(APP, "{\"type\":\"ChannelVarset\",\"variable\":\"GLOBAL\",\"value\":\"1\"}");

    EventEnvelope unmapped = controller.awaitUnmapped(event -> event.hasType("CHANNELVARSET"));
    assertThat(unmapped.key()).isNull();
    assertThat(unmapped.callContext()).isNull();
    assertThat(unmapped.resources()).isEmpty();
    awaitCount("ari-proxy.events.unmapped", before + 1);
  }

  private static EventEnvelope awaitUnmapped(String name) {
    return controller.awaitUnmapped(
        event -> name.equals(event.payload().path("eventname").asText()));
  }

  private static void awaitCount(String meter, double expected) {
    Awaitility.await(meter)
        .untilAsserted(() -> assertThat(proxy.counter(meter)).isEqualTo(expected));
  }

  private static boolean isStasisStart(EventEnvelope event, String channel) {
    return event.hasType("STASIS_START") && event.isOfChannel(channel);
  }

  private static String userEvent(String name, String value) {
    return "{\"type\":\"ChannelUserevent\",  \"eventname\":\"%s\", \"userevent\":{\"v\":\"%s\"}}"
        .formatted(name, value);
  }
}
