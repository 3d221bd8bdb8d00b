// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * Limits the headers of records: of commands, since Camel copies them to messages, and of events
 * and RESPONSEs, to which steps of authors can add answers of servers.
 */
final class HeaderLimit {

  private static final int MAX_COUNT = 100;

  /** Of all keys and values, in characters and bytes. */
  static final int MAX_SIZE = 65_536;

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

  static <K, V> ProducerRecord<K, V> withoutHeaders(ProducerRecord<K, V> record) {
    return new ProducerRecord<>(
        record.topic(), record.partition(), record.timestamp(), record.key(), record.value());
  }

  /** Whether a record can have these headers. */
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
