// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
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
  void dropsLargeHeadersOfPublishedRecord() {
    ProducerRecord<String, String> record =
        new ProducerRecord<>("ari-events", 2, 7L, "key", "value", List.of(TRACE));
    assertThat(HeaderLimit.isWithin(record.headers())).isTrue();
    record.headers().add("customer", new byte[65_536]);
    assertThat(HeaderLimit.isWithin(record.headers())).isFalse();
    assertThat(HeaderLimit.withoutHeaders(record))
        .isEqualTo(new ProducerRecord<>("ari-events", 2, 7L, "key", "value"));
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
