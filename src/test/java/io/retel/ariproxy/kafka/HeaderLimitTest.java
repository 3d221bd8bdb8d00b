// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class HeaderLimitTest {

  private static final Header TRACE = new RecordHeader("traceparent", new byte[55]);

  private static final int MAX_SIZE = 1_000_000;

  /** Records are equal if their values are the same. */
  private static final Map<Integer, byte[]> VALUES = new HashMap<>();

  @Test
  void keepsRecordWithHeadersWithinLimits() {
    ConsumerRecord<String, String> record =
        record(List.of(TRACE, new RecordHeader("flag", (byte[]) null)));
    assertThat(HeaderLimit.limit(record)).isSameAs(record);
  }

  @Test
  void dropsAllIfLarge() {
    assertDropped(List.of(TRACE, new RecordHeader("large", new byte[65_536])));
    assertDropped(List.of(TRACE, new RecordHeader("k".repeat(65_536), (byte[]) null)));
  }

  /** As many as fit in 1 MB. */
  @Test
  void dropsAllIfMany() {
    assertDropped(Collections.nCopies(101, TRACE));
    assertDropped(Collections.nCopies(500_000, new RecordHeader("", (byte[]) null)));
  }

  @Test
  void keepsPublishedRecordWithHeadersWithinLimits() {
    assertThat(HeaderLimit.limit(published(10, TRACE, header("customer", 10)), 1_000)).isEmpty();
    assertThat(HeaderLimit.limit(published(2_000), 1_000)).isEmpty();
  }

  @Test
  void dropsLargeHeadersOfPublishedRecordExceptTraceparent() {
    assertThat(HeaderLimit.limit(published(10, header("customer", 65_536)), MAX_SIZE))
        .hasValue(published(10));
    assertThat(HeaderLimit.limit(published(10, TRACE, header("customer", 65_536)), MAX_SIZE))
        .hasValue(published(10, TRACE));
    assertThat(HeaderLimit.limit(published(10, TRACE, header("traceparent", 65_536)), MAX_SIZE))
        .hasValue(published(10));
  }

  @Test
  void dropsManyHeadersOfPublishedRecordExceptTraceparent() {
    Header[] many = Collections.nCopies(101, header("h", 1)).toArray(Header[]::new);
    many[50] = TRACE;
    assertThat(HeaderLimit.limit(published(10, many), MAX_SIZE)).hasValue(published(10, TRACE));
  }

  /** The topic accepts the body, but not the body with the headers. */
  @Test
  void dropsHeadersThatMakeRecordTooLarge() {
    Header customer = header("customer", 60_000);
    assertThat(HeaderLimit.limit(published(MAX_SIZE - 10_000, TRACE, customer), MAX_SIZE))
        .hasValue(published(MAX_SIZE - 10_000, TRACE));
    assertThat(HeaderLimit.limit(published(MAX_SIZE - 150, TRACE, customer), MAX_SIZE))
        .hasValue(published(MAX_SIZE - 150));
    assertThat(HeaderLimit.limit(published(MAX_SIZE - 75, TRACE, customer), MAX_SIZE))
        .hasValue(published(MAX_SIZE - 75));
    assertThat(HeaderLimit.limit(published(MAX_SIZE - 150, TRACE), MAX_SIZE))
        .hasValue(published(MAX_SIZE - 150));
  }

  /** Without headers, Kafka rejects it as well; with a larger limit than known, it does not. */
  @Test
  void keepsHeadersOfRecordWithTooLargeBody() {
    assertThat(HeaderLimit.limit(published(MAX_SIZE, TRACE, header("customer", 9)), MAX_SIZE))
        .isEmpty();
  }

  private static Header header(String name, int size) {
    return new RecordHeader(name, new byte[size]);
  }

  private static ProducerRecord<Object, Object> published(int size, Header... headers) {
    byte[] value = VALUES.computeIfAbsent(size, byte[]::new);
    return new ProducerRecord<>("ari-events", 2, 7L, "key", value, List.of(headers));
  }

  private static void assertDropped(List<Header> headers) {
    ConsumerRecord<String, String> record = record(headers);
    ConsumerRecord<String, String> limited = HeaderLimit.limit(record);
    assertThat(limited.headers()).isEmpty();
    assertThat(limited).usingRecursiveComparison().ignoringFields("headers").isEqualTo(record);
  }

  private static ConsumerRecord<String, String> record(List<Header> headers) {
    return new ConsumerRecord<>(
        "ari-commands",
        2,
        7,
        11,
        TimestampType.CREATE_TIME,
        3,
        5,
        "key",
        "value",
        new RecordHeaders(headers),
        Optional.of(13));
  }
}
