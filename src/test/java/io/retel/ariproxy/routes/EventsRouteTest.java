// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Events from the websocket to the topics. */
class EventsRouteTest {

  private static final String MAPPED =
      "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"c\","
          + "\"channelvars\":{\"CALL_CONTEXT\":\"call\"}}}";
  private static final String ENTERED_BRIDGE =
      "{\"type\":\"ChannelEnteredBridge\",\"bridge\":{\"id\":\"b\",\"channels\":[]},"
          + "\"channel\":{\"id\":\"c\"}}";
  private static final String UNMAPPED = "{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"x\"}}";

  @AutoClose private RoutesUnderTest routes;

  @BeforeEach
  void start() throws Exception {
    routes = RoutesUnderTest.start();
  }

  @Test
  void publishesMappedEventWithCallContextKey() {
    routes.sendEvent(MAPPED);

    Message published = only(routes.mappedTopic().getReceivedExchanges());
    assertThat(published.getHeaders()).containsOnly(Map.entry(KafkaConstants.KEY, "call"));
    assertThat(text(published))
        .isEqualTo(
            "{\"type\":\"STASIS_START\",\"callContext\":\"call\",\"commandsTopic\":\"commands\","
                + "\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":[{\"type\":\"CHANNEL\",\"id\":\"c\"}],\"payload\":"
                + MAPPED
                + "}");
    assertThat(routes.unmappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
  }

  @Test
  void publishesEventOfTwoCallsToBoth() {
    sendEventsOfTwoCalls();

    Message published =
        routes.mappedTopic().getReceivedExchanges().stream()
            .map(Exchange::getMessage)
            .reduce((first, last) -> last)
            .orElseThrow();
    List<Message> records = new ArrayList<>();
    for (Object record : published.getBody(Iterable.class)) {
      records.add((Message) record);
    }
    assertThat(records)
        .extracting(record -> record.getHeader(KafkaConstants.KEY), EventsRouteTest::text)
        .containsExactly(
            tuple(
                "call",
                envelopeOfTwoCalls(
                    "call",
                    "{\"type\":\"CHANNEL\",\"id\":\"c\"},{\"type\":\"BRIDGE\",\"id\":\"b\"}")),
            tuple(
                "owner",
                envelopeOfTwoCalls(
                    "owner",
                    "{\"type\":\"BRIDGE\",\"id\":\"b\"},{\"type\":\"CHANNEL\",\"id\":\"c\"}")));
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(4);
  }

  @Test
  void countsLostEventOfTwoCallsOnce() {
    routes
        .mappedTopic()
        .whenExchangeReceived(
            4,
            exchange -> {
              throw new RecordTooLargeException("too large");
            });
    assertThat(sendEventsOfTwoCalls().getException()).isNull();

    assertThat(routes.counterValue(Meters.EVENTS_LOST)).isEqualTo(1);
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(3);
  }

  /** Sends four events: the fourth names a channel of one call and a bridge of another. */
  private Exchange sendEventsOfTwoCalls() {
    routes.sendEvent(MAPPED);
    routes.sendEvent(MAPPED.replace("\"c\"", "\"d\"").replace("\"call\"", "\"owner\""));
    routes.sendEvent(ENTERED_BRIDGE.replace("\"c\"", "\"d\""));
    return routes.sendEvent(ENTERED_BRIDGE);
  }

  private static String envelopeOfTwoCalls(String callContext, String resources) {
    return "{\"type\":\"CHANNEL_ENTERED_BRIDGE\",\"callContext\":\""
        + callContext
        + "\",\"callContexts\":[\"call\",\"owner\"],\"commandsTopic\":\"commands\","
        + "\"commandId\":null,\"commandRequest\":null,\"resources\":["
        + resources
        + "],\"payload\":"
        + ENTERED_BRIDGE
        + "}";
  }

  @Test
  void publishesUnmappedEventWithResourceKey() {
    routes.sendEvent(UNMAPPED);

    Message published = only(routes.unmappedTopic().getReceivedExchanges());
    assertThat(published.getHeaders()).containsOnly(Map.entry(KafkaConstants.KEY, "x"));
    assertThat(text(published)).contains("\"callContext\":null").endsWith(UNMAPPED + "}");
    assertThat(routes.mappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes.counterValue(Meters.EVENTS_UNMAPPED)).isEqualTo(1);
  }

  @Test
  void eventWithoutResourceHasNoKey() {
    routes.sendEvent("{\"type\":\"ChannelUserevent\",\"eventname\":\"x\"}");
    assertThat(only(routes.unmappedTopic().getReceivedExchanges()).getHeaders()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"RESTResponse", "ApplicationReplaced"})
  void countsConnectionEventWithoutPublishing(String type) {
    assertThat(routes.sendEvent("{\"type\":\"" + type + "\"}").getException()).isNull();
    routes.sendEvent(MAPPED);

    assertThat(routes.counterValue(Meters.EVENTS_INTERNAL)).isEqualTo(1);
    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
    assertThat(routes.unmappedTopic().getReceivedExchanges()).isEmpty();
    assertThat(routes.counterValue(Meters.EVENTS_UNMAPPED)).isZero();
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CallBroadcast", "CallClaimed"})
  void publishesCallBroadcastAndCallClaimed(String type) {
    routes.sendEvent(MAPPED.replace("StasisStart", type));

    assertThat(only(routes.mappedTopic().getReceivedExchanges()).getHeader(KafkaConstants.KEY))
        .isEqualTo("call");
    assertThat(routes.counterValue(Meters.EVENTS_INTERNAL)).isZero();
  }

  @Test
  void countsMalformedEventAndContinues() {
    for (Object message : List.of("no JSON", "[]", "{}", new byte[] {1})) {
      assertThat(routes.sendEvent(message).getException()).isNull();
    }
    routes.sendEvent(MAPPED);

    assertThat(routes.counterValue(Meters.EVENTS_MALFORMED)).isEqualTo(4);
    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
    assertThat(routes.counterValue(Meters.EVENTS_LOST)).isZero();
  }

  @Test
  void countsLostEventAndContinues() {
    routes
        .mappedTopic()
        .whenExchangeReceived(
            1,
            exchange -> {
              throw new RecordTooLargeException("too large");
            });
    assertThat(routes.sendEvent(MAPPED).getException()).isNull();
    routes.sendEvent(MAPPED);

    assertThat(routes.counterValue(Meters.EVENTS_LOST)).isEqualTo(1);
    assertThat(routes.counterValue(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void preservesEventOrder() {
    for (int i = 0; i < 100; i++) {
      routes.sendEvent(MAPPED.replace("}}}", "}},\"n\":" + i + "}"));
    }
    assertThat(routes.mappedTopic().getReceivedExchanges())
        .extracting(exchange -> text(exchange.getMessage()).replaceAll(".*\"n\":(\\d+).*", "$1"))
        .containsExactlyElementsOf(IntStream.range(0, 100).mapToObj(Integer::toString).toList());
  }

  private static Message only(List<Exchange> exchanges) {
    assertThat(exchanges).hasSize(1);
    return exchanges.get(0).getMessage();
  }

  private static String text(Message message) {
    return new String((byte[]) message.getBody(), StandardCharsets.UTF_8);
  }
}
