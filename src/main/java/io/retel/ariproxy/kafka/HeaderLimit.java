// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Limits the headers of records: of commands, since Camel copies them to messages, and of events
 * and RESPONSEs, to which steps of authors can add answers of servers.
 */
final class HeaderLimit {

  static final int MAX_COUNT = 100;

  /** Of all keys and values, in characters and bytes. */
  static final int MAX_SIZE = 65_536;

  /** Header of the W3C with the id of a trace, in 55 bytes. */
  private static final String TRACEPARENT = "traceparent";

  /**
   * Kafka's message format: 61 bytes of a batch, and the fields of a record, whose lengths take 1
   * to 5 bytes. Kafka's producer compares the largest size with its limit, a broker the real one.
   */
  private static final int MIN_OVERHEAD = 61 + 7;

  private static final int MAX_OVERHEAD = 61 + 31;
  private static final int MAX_LENGTH_BYTES = 5;

  private HeaderLimit() {}

  /**
   * Returns the record, without any header if it has too many or too large ones. Removing them
   * instead would take Kafka quadratic time, and a record of 1 MB can have half a million.
   */
  static <K, V> ConsumerRecord<K, V> limit(ConsumerRecord<K, V> record) {
    return isWithin(record.headers())
        ? record
        : new ConsumerRecord<>(
            record.topic(),
            record.partition(),
            record.offset(),
            record.timestamp(),
            record.timestampType(),
            record.serializedKeySize(),
            record.serializedValueSize(),
            record.key(),
            record.value(),
            new RecordHeaders(),
            record.leaderEpoch());
  }

  /**
   * Returns the record to publish instead: without optional headers, all but the {@code
   * traceparent}, if it has too many or too large ones, or if they make it larger than its topic
   * accepts; then also without that one, if the record would be lost with it. Empty if its headers
   * are within the limits, or if it is too large without them.
   *
   * @param maxSize the size of a record that its topic accepts, in bytes
   */
  static Optional<ProducerRecord<Object, Object>> limit(
      ProducerRecord<Object, Object> record, int maxSize) {
    Header[] headers = record.headers().toArray();
    if (headers.length == 0) {
      return Optional.empty();
    }
    long available = maxSize - maxSizeWithoutHeaders(record);
    // Kafka rejects it in any case
    boolean isTooLarge = available + MAX_OVERHEAD - MIN_OVERHEAD < 0;
    if (isWithin(record.headers()) && (isTooLarge || maxSize(headers) <= available)) {
      return Optional.empty();
    }
    List<Header> remaining = new ArrayList<>();
    Header trace = record.headers().lastHeader(TRACEPARENT);
    if (trace != null && isWithin(List.of(trace)) && (isTooLarge || maxSize(trace) <= available)) {
      remaining.add(trace);
    }
    return Optional.of(
        new ProducerRecord<>(
            record.topic(),
            record.partition(),
            record.timestamp(),
            record.key(),
            record.value(),
            remaining));
  }

  /** Whether a topic accepts the record if its limit is this size, in bytes. */
  static boolean fits(ProducerRecord<Object, Object> record, int maxSize) {
    return maxSizeWithoutHeaders(record) + maxSize(record.headers().toArray()) <= maxSize;
  }

  /** Returns the size of a batch with this record alone; that of a text or bytes is known. */
  private static long maxSizeWithoutHeaders(ProducerRecord<Object, Object> record) {
    return MAX_OVERHEAD + (long) size(record.key()) + size(record.value());
  }

  private static int size(@Nullable Object value) {
    if (value instanceof byte[] bytes) {
      return bytes.length;
    }
    return value instanceof CharSequence text ? Utils.utf8Length(text) : 0;
  }

  private static long maxSize(Header... headers) {
    long size = 0;
    for (Header header : headers) {
      size += 2L * MAX_LENGTH_BYTES + Utils.utf8Length(header.key()) + size(header.value());
    }
    return size;
  }

  /** Whether there are neither too many nor too large ones, regardless of the topic. */
  static boolean isWithin(Iterable<Header> headers) {
    int count = 0;
    long size = 0;
    for (Header header : headers) {
      count++;
      size += header.key().length() + (header.value() == null ? 0 : header.value().length);
      if (count > MAX_COUNT || size > MAX_SIZE) {
        return false;
      }
    }
    return true;
  }
}
