package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.RoutesUnderTest;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
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

/** From the websocket to the topic. */
class EventsRouteTest {

  private static final String MAPPED =
      "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"c\","
          + "\"channelvars\":{\"CALL_CONTEXT\":\"call\"}}}";
  private static final String UNMAPPED = "{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"x\"}}";

  @AutoClose private RoutesUnderTest routes;

  @BeforeEach
  void start() throws Exception {
    routes = RoutesUnderTest.start();
  }

  @Test
  void aMappedEventIsPublishedUnderItsCallContext() {
    routes.fromAsterisk(MAPPED);

    Message published = only(routes.mapped().getReceivedExchanges());
    assertThat(published.getHeaders()).containsOnly(Map.entry(KafkaConstants.KEY, "call"));
    assertThat(text(published))
        .isEqualTo(
            "{\"type\":\"STASIS_START\",\"callContext\":\"call\",\"commandsTopic\":\"commands\","
                + "\"commandId\":null,\"commandRequest\":null,"
                + "\"resources\":[{\"type\":\"CHANNEL\",\"id\":\"c\"}],\"payload\":"
                + MAPPED
                + "}");
    assertThat(routes.unmapped().getReceivedExchanges()).isEmpty();
    assertThat(routes.count(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
  }

  @Test
  void anUnmappedEventGoesToItsOwnTopicUnderItsResource() {
    routes.fromAsterisk(UNMAPPED);

    Message published = only(routes.unmapped().getReceivedExchanges());
    assertThat(published.getHeaders()).containsOnly(Map.entry(KafkaConstants.KEY, "x"));
    assertThat(text(published)).contains("\"callContext\":null").endsWith(UNMAPPED + "}");
    assertThat(routes.mapped().getReceivedExchanges()).isEmpty();
    assertThat(routes.count(Meters.EVENTS_UNMAPPED)).isEqualTo(1);
  }

  @Test
  void anEventWithoutAResourceHasNoKey() {
    routes.fromAsterisk("{\"type\":\"ChannelUserevent\",\"eventname\":\"x\"}");
    assertThat(only(routes.unmapped().getReceivedExchanges()).getHeaders()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"RESTResponse", "ApplicationReplaced"})
  void whatIsForTheProxyAloneReachesNoTopicAndIsCounted(String type) {
    assertThat(routes.fromAsterisk("{\"type\":\"" + type + "\"}").getException()).isNull();
    routes.fromAsterisk(MAPPED);

    assertThat(routes.count(Meters.EVENTS_KEPT)).isEqualTo(1);
    assertThat(routes.mapped().getReceivedExchanges()).hasSize(1);
    assertThat(routes.unmapped().getReceivedExchanges()).isEmpty();
    assertThat(routes.count(Meters.EVENTS_UNMAPPED)).isZero();
    assertThat(routes.count(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CallBroadcast", "CallClaimed"})
  void aCallThatApplicationsCompeteForIsForControllers(String type) {
    routes.fromAsterisk(MAPPED.replace("StasisStart", type));

    assertThat(only(routes.mapped().getReceivedExchanges()).getHeader(KafkaConstants.KEY))
        .isEqualTo("call");
    assertThat(routes.count(Meters.EVENTS_KEPT)).isZero();
  }

  @Test
  void whatCannotBeReadIsCountedAndTheNextOneGoesOn() {
    for (Object message : List.of("no JSON", "[]", "{}", new byte[] {1})) {
      assertThat(routes.fromAsterisk(message).getException()).isNull();
    }
    routes.fromAsterisk(MAPPED);

    assertThat(routes.count(Meters.EVENTS_UNREADABLE)).isEqualTo(4);
    assertThat(routes.mapped().getReceivedExchanges()).hasSize(1);
    assertThat(routes.count(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
    assertThat(routes.count(Meters.EVENTS_LOST)).isZero();
  }

  @Test
  void whatKafkaWillNeverTakeIsLostAndNotPublishedAndTheNextOneGoesOn() {
    routes
        .mapped()
        .whenExchangeReceived(
            1,
            exchange -> {
              throw new RecordTooLargeException("too large");
            });
    assertThat(routes.fromAsterisk(MAPPED).getException()).isNull();
    routes.fromAsterisk(MAPPED);

    assertThat(routes.count(Meters.EVENTS_LOST)).isEqualTo(1);
    assertThat(routes.count(Meters.EVENTS_PUBLISHED)).isEqualTo(1);
    assertThat(routes.mapped().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void eventsKeepTheirOrder() {
    for (int i = 0; i < 100; i++) {
      routes.fromAsterisk(MAPPED.replace("}}}", "}},\"n\":" + i + "}"));
    }
    assertThat(routes.mapped().getReceivedExchanges())
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
