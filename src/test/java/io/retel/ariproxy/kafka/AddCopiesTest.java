// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;

/** The records of an event of several calls. */
class AddCopiesTest {

  private static final byte[] FIRST = new byte[1_000];
  private static final byte[] COPY = new byte[2_000];

  private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());

  @Test
  void headersAddedLaterApplyToAllRecords() {
    prepareWithCopy();
    exchange.getMessage().setHeader("site", "fra");

    new AddCopies().process(exchange);
    exchange.getMessage().setHeader("traceparent", "00");

    List<Message> records = new ArrayList<>();
    for (Object record : exchange.getMessage().getBody(Iterable.class)) {
      records.add((Message) record);
    }
    assertThat(records).extracting(Message::getBody).containsExactly(FIRST, COPY);
    assertThat(records)
        .extracting(Message::getHeaders)
        .containsExactly(
            Map.of(KafkaConstants.KEY, "one", "site", "fra", "traceparent", "00"),
            Map.of(KafkaConstants.KEY, "two", "site", "fra", "traceparent", "00"));
  }

  /** Without it, the events of a call would get into several partitions. */
  @Test
  void removedOrChangedKeyIsSetAgain() {
    prepareWithCopy();
    exchange.getMessage().removeHeaders("*");
    exchange.getMessage().setHeader(KafkaConstants.PARTITION_KEY, 3);
    new AddCopies().process(exchange);
    assertThat(exchange.getMessage().getHeaders()).isEqualTo(Map.of(KafkaConstants.KEY, "one"));

    OutgoingRecord.prepare(exchange, null, FIRST, true);
    exchange.getMessage().setHeader(KafkaConstants.KEY, "another");
    new AddCopies().process(exchange);
    assertThat(exchange.getMessage().getHeaders()).isEmpty();
  }

  /** The answer of a service can be large. */
  @Test
  void variablesAreReleased() {
    prepareWithCopy();
    exchange.setVariable("answer", new byte[1_000_000]);
    exchange.setVariable("header:answer.Server", "x");
    new AddCopies().process(exchange);
    assertThat(exchange.getVariables()).isEmpty();
    assertThat(exchange.getVariable("answer")).isNull();
  }

  @Test
  void otherMessagesAreUnchanged() {
    OutgoingRecord.prepare(exchange, "one", FIRST, false);

    new AddCopies().process(exchange);

    assertThat(exchange.getMessage().getBody()).isSameAs(FIRST);
    assertThat(OutgoingRecord.size(exchange)).isEqualTo(1_000);
  }

  /**
   * Nothing would be a deletion in a compacted topic, and a stream would be the result of a
   * request.
   */
  @Test
  void recordThatStepHasReplacedIsRejected() throws Exception {
    InFlightLimiter limiter = new InFlightLimiter(100_000, () -> false);
    for (Object body : new Object[] {null, new ByteArrayInputStream(FIRST), 1}) {
      prepareWithCopy();
      exchange.getMessage().setBody(body);
      assertThatThrownBy(() -> limiter.process(exchange))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("variableReceive");
      assertThatThrownBy(() -> new AddCopies().process(exchange))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("variableReceive");
    }
    assertThat(limiter.inFlightBytes()).isZero();
  }

  @Test
  void recordCanBeText() throws Exception {
    OutgoingRecord.prepare(exchange, "one", FIRST, false);
    exchange.getMessage().setBody("é");
    new InFlightLimiter(100_000, () -> false).process(exchange);
    assertThat(exchange.getMessage().getBody()).isEqualTo("é".getBytes(StandardCharsets.UTF_8));
  }

  /** A request before, to Asterisk or another server, can have set it. */
  @Test
  void recordHasCharsetOfEnvelopes() {
    exchange.setProperty(ExchangePropertyKey.CHARSET_NAME, "UTF-16");
    byte[] envelope = "{\"é\":1}".getBytes(StandardCharsets.UTF_8);
    OutgoingRecord.prepare(exchange, "one", envelope, false);
    assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("{\"é\":1}");
  }

  @Test
  void sizeIsThatOfTheLargestRecord() {
    prepareWithCopy();
    assertThat(OutgoingRecord.size(exchange)).isEqualTo(2_000);

    new AddCopies().process(exchange);

    assertThat(OutgoingRecord.size(exchange)).isEqualTo(2_000);
  }

  /** An event of 16 MB can concern some twenty calls. */
  @Test
  void copiesAreBuiltOneByOneAsTheyAreSent() throws Exception {
    AtomicInteger built = new AtomicInteger();
    Supplier<byte[]> value =
        () -> {
          built.incrementAndGet();
          return COPY;
        };
    OutgoingRecord.prepare(exchange, "one", FIRST, false);
    OutgoingRecord.prepareCopies(
        exchange,
        List.of(
            new OutgoingRecord("two", 2_000, value), new OutgoingRecord("three", 2_000, value)));

    new InFlightLimiter(100_000, () -> false).process(exchange);
    new AddCopies().process(exchange);
    assertThat(OutgoingRecord.size(exchange)).isEqualTo(2_000);
    Iterator<?> records = exchange.getMessage().getBody(Iterable.class).iterator();
    records.next();
    assertThat(built).hasValue(0);
    records.next();
    assertThat(built).hasValue(1);
    records.next();
    assertThat(built).hasValue(2);
  }

  @Test
  void limitIncludesCopies() throws Exception {
    InFlightLimiter limiter = new InFlightLimiter(100_000, () -> false);
    prepareWithCopy();

    limiter.process(exchange);

    assertThat(limiter.inFlightBytes()).isEqualTo(2 * 4_096 + 2 * 3_000);
  }

  /** Kafka's producer holds all of them at once. */
  @Test
  void copiesThatExceedLimitAreRejected() throws Exception {
    InFlightLimiter limiter = new InFlightLimiter(14_191, () -> false);
    prepareWithCopy();
    assertThatThrownBy(() -> limiter.process(exchange))
        .isInstanceOf(RecordTooLargeException.class)
        .hasMessageContaining("kafka.max-in-flight-bytes");
    assertThat(limiter.inFlightBytes()).isZero();

    OutgoingRecord.prepareCopies(exchange, List.of());
    OutgoingRecord.prepare(exchange, "one", new byte[20_000], false);
    limiter.process(exchange);
    assertThat(limiter.inFlightBytes()).isEqualTo(14_191);
  }

  private void prepareWithCopy() {
    OutgoingRecord.prepare(exchange, "one", FIRST, false);
    OutgoingRecord.prepareCopies(
        exchange, List.of(new OutgoingRecord("two", COPY.length, () -> COPY)));
  }
}
