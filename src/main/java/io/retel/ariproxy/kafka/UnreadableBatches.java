// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Partitions whose next batch cannot be read: it is corrupt, or compressed with a codec whose
 * native library cannot be loaded.
 *
 * <p>Kafka's consumer throws on each poll and names no partition, so the other partitions would
 * wait too (seen on 4.1.1). Such a partition is paused instead and tried again periodically; only
 * an operator skips the batch. Called on the polling thread, except where stated otherwise.
 */
final class UnreadableBatches {

  private static final Logger LOG = LoggerFactory.getLogger(UnreadableBatches.class);

  private static final Duration RETRY_INTERVAL = Duration.ofSeconds(30);

  /** Limit for finding the next readable command. */
  private static final Duration SEARCH_TIMEOUT = Duration.ofSeconds(60);

  private final LongSupplier nanoTime;
  private final Map<TopicPartition, Batch> batches = new ConcurrentHashMap<>();
  private final Map<TopicPartition, Skip> requestedSkips = new ConcurrentHashMap<>();

  /**
   * A batch that cannot be read.
   *
   * @param offset its first offset that is not consumed
   * @param reason as a clause
   * @param triedNanos when it was last tried
   */
  private record Batch(long offset, String reason, long triedNanos) {}

  /**
   * A request to skip commands.
   *
   * @param from the first offset to skip
   * @param to the first one not to skip
   */
  record Skip(long from, long to) {}

  /**
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  UnreadableBatches(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * Polls, and pauses the partition at fault if the next batch cannot be read.
   *
   * @param fetch Kafka's own poll
   */
  ConsumerRecords<Object, Object> poll(
      Consumer<Object, Object> consumer,
      Function<Duration, ConsumerRecords<Object, Object>> fetch,
      Duration timeout) {
    try {
      ConsumerRecords<Object, Object> polled = fetch.apply(timeout);
      removeRecovered(consumer);
      return polled;
    } catch (KafkaException | LinkageError e) {
      if (!isUnreadable(e)) {
        throw e;
      }
      return pollOneByOne(consumer, fetch, e);
    }
  }

  /**
   * Finds the partition at fault, which the exception does not identify.
   *
   * @param failure of the poll
   */
  private ConsumerRecords<Object, Object> pollOneByOne(
      Consumer<Object, Object> consumer,
      Function<Duration, ConsumerRecords<Object, Object>> fetch,
      Throwable failure) {
    Set<TopicPartition> fetching = new HashSet<>(consumer.assignment());
    fetching.removeAll(consumer.paused());
    consumer.pause(fetching);
    try {
      for (TopicPartition partition : fetching) {
        if (!consumer.assignment().contains(partition)) {
          continue;
        }
        consumer.resume(List.of(partition));
        try {
          ConsumerRecords<Object, Object> polled = fetch.apply(Duration.ZERO);
          if (!polled.isEmpty()) {
            return polled;
          }
        } catch (KafkaException | LinkageError e) {
          if (!isUnreadable(e)) {
            throw e;
          }
          // the first failure to load a library has the cause, later ones refer to it
          add(consumer, partition, failure);
        }
        if (consumer.assignment().contains(partition)) {
          consumer.pause(List.of(partition));
        }
      }
      return ConsumerRecords.empty();
    } finally {
      fetching.retainAll(consumer.assignment());
      fetching.removeAll(batches.keySet());
      consumer.resume(fetching);
    }
  }

  private void add(Consumer<Object, Object> consumer, TopicPartition partition, Throwable failure) {
    if (!consumer.assignment().contains(partition)) {
      return;
    }
    long offset = consumer.position(partition);
    Batch previous = batches.get(partition);
    long now = nanoTime.getAsLong();
    if (previous != null && previous.offset() == offset) {
      batches.put(partition, new Batch(offset, previous.reason(), now));
    } else {
      String reason = describe(failure);
      batches.put(partition, new Batch(offset, reason, now));
      LOG.error(
          "Cannot read commands of {} from offset {}: {}. Commands of this partition wait until they"
              + " can be read, or are skipped by the JMX operation skipUnreadable of type=Commands",
          partition,
          offset,
          reason);
    }
  }

  /** Tries batches again that are due, and applies requests to skip. */
  void retry(Consumer<Object, Object> consumer, SkipListener listener) {
    requestedSkips.forEach(
        (partition, skip) -> {
          requestedSkips.remove(partition);
          Batch batch = batches.get(partition);
          if (batch != null && batch.offset() == skip.from()) {
            batches.remove(partition);
            consumer.seek(partition, skip.to());
            consumer.resume(List.of(partition));
            listener.skipped(partition, skip);
          }
        });
    long now = nanoTime.getAsLong();
    batches.forEach(
        (partition, batch) -> {
          if (now - batch.triedNanos() >= RETRY_INTERVAL.toNanos()) {
            batches.put(partition, new Batch(batch.offset(), batch.reason(), now));
            // fetches the batch again
            consumer.seek(partition, batch.offset());
            consumer.resume(List.of(partition));
          }
        });
  }

  /** Receives skipped commands. */
  @FunctionalInterface
  interface SkipListener {
    void skipped(TopicPartition partition, Skip skip);
  }

  private void removeRecovered(Consumer<Object, Object> consumer) {
    if (batches.isEmpty()) {
      return;
    }
    batches.forEach(
        (partition, batch) -> {
          if (!consumer.paused().contains(partition)
              && consumer.position(partition) > batch.offset()) {
            batches.remove(partition);
            LOG.info("Commands of {} can be read again from offset {}", partition, batch.offset());
          }
        });
  }

  /** Forgets partitions that are no longer assigned. */
  void revoked(Collection<TopicPartition> partitions) {
    batches.keySet().removeAll(partitions);
    requestedSkips.keySet().removeAll(partitions);
  }

  /** Returns the partitions that must not be fetched. Thread-safe. */
  Set<TopicPartition> partitions() {
    return batches.keySet();
  }

  /** Describes in one sentence which commands cannot be read; empty if all can. Thread-safe. */
  Optional<String> describe() {
    return batches.entrySet().stream()
        .findFirst()
        .map(
            entry ->
                "Cannot read commands of %s from offset %d%s: %s"
                    .formatted(
                        entry.getKey(),
                        entry.getValue().offset(),
                        batches.size() == 1 ? "" : " and of " + (batches.size() - 1) + " others",
                        entry.getValue().reason()));
  }

  /**
   * Requests to skip all commands up to the next one that can be read in each partition. Blocks
   * while it searches for them, up to a minute for each partition. Thread-safe.
   *
   * @param properties of the consumer
   * @return what will be skipped
   */
  List<String> requestSkips(Properties properties) {
    return batches.entrySet().stream()
        .map(
            entry -> {
              TopicPartition partition = entry.getKey();
              long from = entry.getValue().offset();
              long to = findReadable(properties, partition, from);
              requestedSkips.put(partition, new Skip(from, to));
              return "offsets %d to %d of %s".formatted(from, to - 1, partition);
            })
        .toList();
  }

  /** Returns the offset of the next command that can be read. */
  private long findReadable(
      Properties consumerProperties, TopicPartition partition, long unreadable) {
    Properties properties = new Properties();
    properties.putAll(consumerProperties);
    properties.remove(ConsumerConfig.GROUP_ID_CONFIG);
    properties.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    properties.remove(ConsumerConfig.CLIENT_ID_CONFIG);
    long deadline = nanoTime.getAsLong() + SEARCH_TIMEOUT.toNanos();
    try (KafkaConsumer<Object, Object> consumer = new KafkaConsumer<>(properties)) {
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
      // the exception does not reveal where the batch ends
      long offset = unreadable + 1;
      while (offset < end && nanoTime.getAsLong() - deadline < 0) {
        consumer.seek(partition, offset);
        try {
          List<?> records = consumer.poll(Duration.ofSeconds(1)).records(partition);
          if (!records.isEmpty() || consumer.position(partition) > offset) {
            return offset;
          }
        } catch (KafkaException | LinkageError e) {
          if (!isUnreadable(e)) {
            throw e;
          }
          offset++;
        }
      }
      return offset;
    }
  }

  /** Whether a failed poll means that a batch cannot be read. */
  private static boolean isUnreadable(Throwable failure) {
    return failure instanceof LinkageError
        // Kafka has no class for it
        || failure.getClass() == KafkaException.class
            && String.valueOf(failure.getMessage())
                .matches("(?s)(Received exception when fetching the next record|Record ).*");
  }

  private static String describe(Throwable failure) {
    String reason = ErrorMessages.singleLine(failure);
    return failure instanceof LinkageError
        ? failure.getClass().getSimpleName() + " " + reason
        : reason;
  }
}
