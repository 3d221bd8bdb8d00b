// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Records of a producer that Kafka has not acknowledged, in the order in which they were sent.
 *
 * <p>Thread-safe, except for {@link #isSilent}.
 */
final class UnacknowledgedRecords {

  private final Set<UnacknowledgedRecord> records =
      Collections.synchronizedSet(new LinkedHashSet<>());

  /** The oldest record at the last check, and the time of the check that first found it. */
  private @Nullable UnacknowledgedRecord oldest;

  private long oldestSinceNanos;

  /** A record that completes with its acknowledgement. */
  static final class UnacknowledgedRecord extends CompletableFuture<RecordMetadata> {

    private final ProducerRecord<Object, Object> record;
    private final @Nullable Callback callback;

    UnacknowledgedRecord(ProducerRecord<Object, Object> record, @Nullable Callback callback) {
      this.record = record;
      this.callback = callback;
    }

    ProducerRecord<Object, Object> record() {
      return record;
    }
  }

  void add(UnacknowledgedRecord sent) {
    records.add(sent);
  }

  void remove(UnacknowledgedRecord sent) {
    records.remove(sent);
  }

  int size() {
    return records.size();
  }

  List<UnacknowledgedRecord> inOrder() {
    synchronized (records) {
      return List.copyOf(records);
    }
  }

  /** Removes a record and reports its acknowledgement or failure; only the first call does. */
  void complete(
      UnacknowledgedRecord sent, @Nullable RecordMetadata metadata, @Nullable Exception failure) {
    if (!records.remove(sent)) {
      return;
    }
    if (sent.callback != null) {
      sent.callback.onCompletion(metadata, failure);
    }
    if (failure == null) {
      sent.complete(metadata);
    } else {
      sent.completeExceptionally(failure);
    }
  }

  void failAll(KafkaException failure) {
    inOrder().forEach(record -> complete(record, null, failure));
  }

  /**
   * Whether a partition is not acknowledged. Each partition is acknowledged in order, so then the
   * oldest record remains the same, regardless of other partitions. Call it regularly, on one
   * thread.
   */
  boolean isSilent() {
    UnacknowledgedRecord first;
    synchronized (records) {
      Iterator<UnacknowledgedRecord> iterator = records.iterator();
      first = iterator.hasNext() ? iterator.next() : null;
    }
    long now = System.nanoTime();
    if (first == null || first != oldest) {
      oldest = first;
      oldestSinceNanos = now;
    }
    return now - oldestSinceNanos >= InFlightLimiter.STALL_THRESHOLD.toNanos();
  }
}
