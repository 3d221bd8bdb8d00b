// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.ArrayList;
import java.util.List;
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

  private final Object lock = new Object();

  /** Before the oldest and after the latest record; the others are between, in order. */
  private final Element ends = new Element();

  private int size;

  /** The oldest record at the last check, and the time of the check that first found it. */
  private @Nullable UnacknowledgedRecord oldest;

  private long oldestSinceNanos;

  /** A record that completes with its acknowledgement. */
  static final class UnacknowledgedRecord extends CompletableFuture<RecordMetadata> {

    private final ProducerRecord<Object, Object> record;
    private final @Nullable Callback callback;
    private final Element element = new Element(this);

    UnacknowledgedRecord(ProducerRecord<Object, Object> record, @Nullable Callback callback) {
      this.record = record;
      this.callback = callback;
    }

    ProducerRecord<Object, Object> record() {
      return record;
    }
  }

  /** The place of a record in the list; its own neighbor if the record is not in it. */
  private static final class Element {

    private final @Nullable UnacknowledgedRecord record;
    private Element previous = this;
    private Element next = this;

    Element() {
      this.record = null;
    }

    Element(UnacknowledgedRecord record) {
      this.record = record;
    }
  }

  void add(UnacknowledgedRecord sent) {
    Element element = sent.element;
    synchronized (lock) {
      element.previous = ends.previous;
      element.next = ends;
      element.previous.next = element;
      ends.previous = element;
      size++;
    }
  }

  /** Returns whether the record was among them. */
  boolean remove(UnacknowledgedRecord sent) {
    Element element = sent.element;
    synchronized (lock) {
      if (element.next == element) {
        return false;
      }
      element.previous.next = element.next;
      element.next.previous = element.previous;
      element.previous = element;
      element.next = element;
      size--;
      return true;
    }
  }

  int size() {
    synchronized (lock) {
      return size;
    }
  }

  List<UnacknowledgedRecord> inOrder() {
    List<UnacknowledgedRecord> records = new ArrayList<>();
    synchronized (lock) {
      for (Element element = ends.next; element.record != null; element = element.next) {
        records.add(element.record);
      }
    }
    return records;
  }

  /** Removes a record and reports its acknowledgement or failure; only the first call does. */
  void complete(
      UnacknowledgedRecord sent, @Nullable RecordMetadata metadata, @Nullable Exception failure) {
    if (!remove(sent)) {
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
    @Nullable UnacknowledgedRecord first;
    synchronized (lock) {
      first = ends.next.record;
    }
    long now = System.nanoTime();
    if (first == null || first != oldest) {
      oldest = first;
      oldestSinceNanos = now;
    }
    return now - oldestSinceNanos >= InFlightLimiter.STALL_THRESHOLD.toNanos();
  }
}
