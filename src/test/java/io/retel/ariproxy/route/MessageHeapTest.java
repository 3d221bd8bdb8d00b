// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.config.EventResourcesFormat;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.BuildEventEnvelope;
import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.kafka.AddCopies;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.logging.PayloadMasker;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.converter.stream.ByteArrayInputStreamCache;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Messages of known sizes. */
class MessageHeapTest {

  private static final int SIZE = 300_000;
  private static final String TEXT = "a".repeat(SIZE);

  /** Its accessors are not public outside of its class. */
  private record AuthorsRecord(Optional<String> text, int number) {}

  private final Exchange message = new DefaultExchange(new DefaultCamelContext());

  static Stream<Object> largeBodies() {
    AriEvent event =
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":{\"id\":\"c\"},\"args\":[\""
                + TEXT
                + "\"]}");
    AriEvent small = AriEvent.parse("{\"type\":\"StasisStart\",\"application\":\"app\"}");
    ObjectNode json = new ObjectMapper().createObjectNode();
    json.putObject("channel").putArray("names").add(TEXT);
    return Stream.of(
        new byte[SIZE],
        TEXT,
        event,
        new MappedEvent(event, "call", List.of()),
        json,
        Map.of("channel", Map.of("names", List.of(TEXT))),
        new Object[] {TEXT},
        new ByteArrayInputStreamCache(new java.io.ByteArrayInputStream(new byte[SIZE])),
        JsonNodeFactory.instance.rawValueNode(new RawValue(TEXT)),
        new MappedEvent(small, "call", List.of(), List.of(new MappedEvent(event, "b", List.of()))),
        new AuthorsRecord(Optional.of(TEXT), 1));
  }

  @ParameterizedTest
  @MethodSource("largeBodies")
  void countsBodyHeaderAndProperty(Object value) {
    assertThat(heap()).isBetween(1_000L, 10_000L);
    message.getMessage().setBody(value);
    assertThat(heap()).isBetween((long) SIZE, 8L * SIZE);
    message.getMessage().setBody(null);
    message.getMessage().setHeader("header", value);
    assertThat(heap()).isBetween((long) SIZE, 8L * SIZE);
    message.getMessage().removeHeaders("*");
    message.setProperty("property", value);
    assertThat(heap()).isBetween((long) SIZE, 8L * SIZE);
  }

  /** The RESPONSE is the body as well. */
  @Test
  void countsPropertyThatIsTheBodyOnce() {
    byte[] response = new byte[SIZE];
    message.getMessage().setBody(response);
    message.setProperty("response", response);
    assertThat(heap()).isLessThan(2L * SIZE);
  }

  /** Each copy of an event of many calls refers to its payload. */
  @Test
  void countsPayloadOfEventWithCopiesOnce() {
    AriEvent event = AriEvent.parse("{\"type\":\"StasisStart\",\"args\":[\"" + TEXT + "\"]}");
    message
        .getMessage()
        .setBody(
            new MappedEvent(
                event, "a", List.of(), List.of(new MappedEvent(event, "b", List.of()))));
    assertThat(heap()).isLessThan(2L * SIZE);
  }

  /** The message of an event of several calls, up to the topic. */
  @Test
  void countsEventOfSeveralCallsOnItsWayToKafka() {
    AriEvent event =
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"app\",\"args\":[\"" + TEXT + "\"]}");
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    message
        .getMessage()
        .setBody(
            new MappedEvent(
                event, "a", List.of(), List.of(new MappedEvent(event, "b", List.of()))));
    new BuildEventEnvelope(
            new Envelopes("commands", EventResourcesFormat.ARRAY),
            meters,
            new HandleLostEvent(meters),
            new InFlightEvents(),
            new PayloadLog(new PayloadMasker(true)))
        .process(message);
    // the envelope, and the payload of the copy
    assertThat(heap()).isBetween(2L * SIZE, 8L * SIZE);

    new AddCopies().process(message);
    assertThat(heap()).isBetween(2L * SIZE, 8L * SIZE);
    assertThat(message.getProperties().toString() + message.getMessage().getBody())
        .as("shown by tracers")
        .doesNotContain(TEXT);
  }

  @Test
  void stopsAtLimit() {
    message.getMessage().setBody(List.of(TEXT, new byte[100 * SIZE]));
    assertThat(MessageHeap.of(message, SIZE)).isLessThan(4L * SIZE);
  }

  @Test
  void endsWithListThatContainsItself() {
    List<Object> list = new ArrayList<>();
    list.add(list);
    list.add(TEXT);
    message.getMessage().setBody(list);
    assertThat(heap()).isBetween((long) SIZE, 8L * SIZE);
  }

  private long heap() {
    return MessageHeap.of(message, Long.MAX_VALUE);
  }
}
