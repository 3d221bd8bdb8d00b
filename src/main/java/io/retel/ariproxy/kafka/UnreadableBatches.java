// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
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

  /**
   * Time for a partition to be fetched again, to find the one at fault; longer than the broker
   * holds a previous fetch request without records ({@code fetch.max.wait.ms}).
   */
  private static final Duration PROBE_TIMEOUT = Duration.ofSeconds(1);

  /** Limit of the commands to read before such a batch at once. */
  private static final int MAX_READABLE = 50;

  private final Properties properties;
  private final Deserializer<Object> keyDeserializer;
  private final Deserializer<Object> valueDeserializer;
  private final LongSupplier nanoTime;
  private String lastUnlocated = "";
  private final Map<TopicPartition, Batch> batches = new ConcurrentHashMap<>();
  private final Map<TopicPartition, Skip> requestedSkips = new ConcurrentHashMap<>();
  private final AtomicBoolean searching = new AtomicBoolean();

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
   * @param consumerProperties of the consumer whose batches are read
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  UnreadableBatches(
      Properties consumerProperties,
      Deserializer<Object> keyDeserializer,
      Deserializer<Object> valueDeserializer,
      LongSupplier nanoTime) {
    this.keyDeserializer = keyDeserializer;
    this.valueDeserializer = valueDeserializer;
    this.properties = new Properties();
    properties.putAll(consumerProperties);
    properties.remove(ConsumerConfig.GROUP_ID_CONFIG);
    properties.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    properties.remove(ConsumerConfig.CLIENT_ID_CONFIG);
    // a library that cannot be loaded fails the whole poll, including readable records before it
    properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    this.nanoTime = nanoTime;
  }

  /**
   * Polls, and pauses the partition at fault if the next batch cannot be read.
   *
   * @param fetch Kafka's own poll
   * @param nextOffset the next offset to be read of each partition
   */
  ConsumerRecords<Object, Object> poll(
      Consumer<Object, Object> consumer,
      Function<Duration, ConsumerRecords<Object, Object>> fetch,
      Duration timeout,
      Function<TopicPartition, OptionalLong> nextOffset) {
    try {
      ConsumerRecords<Object, Object> polled = fetch.apply(timeout);
      removeRecovered(polled.partitions());
      return polled;
    } catch (KafkaException | Error e) {
      rethrowUnlessUnreadable(e);
      return pollOneByOne(consumer, fetch, e, nextOffset);
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
      Throwable failure,
      Function<TopicPartition, OptionalLong> nextOffset) {
    Set<TopicPartition> paused = Set.copyOf(consumer.paused());
    Set<TopicPartition> fetching = new HashSet<>(consumer.assignment());
    fetching.removeAll(paused);
    // an Error has discarded records of other partitions, after it advanced their positions
    fetching.forEach(partition -> rewind(consumer, partition, nextOffset));
    try {
      for (TopicPartition partition : fetching) {
        if (!consumer.assignment().contains(partition)
            || consumer.currentLag(partition).orElse(1) == 0) {
          continue;
        }
        // a rebalance within the last poll can have resumed others
        consumer.pause(consumer.assignment());
        consumer.resume(List.of(partition));
        try {
          ConsumerRecords<Object, Object> polled = fetch.apply(PROBE_TIMEOUT);
          if (!polled.isEmpty()) {
            removeRecovered(polled.partitions());
            return polled;
          }
        } catch (KafkaException | Error e) {
          rethrowUnlessUnreadable(e);
          if (consumer.assignment().contains(partition)) {
            rewind(consumer, partition, nextOffset);
            ConsumerRecords<Object, Object> readable =
                readUntilFailure(consumer, partition, failure);
            if (!readable.isEmpty()) {
              return readable;
            }
          }
        }
      }
      if (Collections.disjoint(batches.keySet(), fetching)) {
        logUnlocated(describe(failure));
      }
      return ConsumerRecords.empty();
    } finally {
      consumer.pause(consumer.assignment());
      // includes partitions assigned in the meantime
      Set<TopicPartition> readable = new HashSet<>(consumer.assignment());
      readable.removeAll(paused);
      readable.removeAll(batches.keySet());
      consumer.resume(readable);
    }
  }

  /** Logs a failure of polling that occurs in no partition alone, once until it changes. */
  private void logUnlocated(String reason) {
    if (!reason.equals(lastUnlocated)) {
      lastUnlocated = reason;
      LOG.warn("Polling commands failed, but no partition fails alone: {}; polling again", reason);
    }
  }

  private static void rewind(
      Consumer<Object, Object> consumer,
      TopicPartition partition,
      Function<TopicPartition, OptionalLong> nextOffset) {
    nextOffset.apply(partition).ifPresent(offset -> consumer.seek(partition, offset));
  }

  /** Reads the records before the batch that cannot be read, seeks to that batch and adds it. */
  private ConsumerRecords<Object, Object> readUntilFailure(
      Consumer<Object, Object> consumer, TopicPartition partition, Throwable failure) {
    List<ConsumerRecord<Object, Object>> readable = new ArrayList<>();
    long next = consumer.position(partition);
    try (KafkaConsumer<Object, Object> reader = newReader()) {
      reader.assign(List.of(partition));
      reader.seek(partition, next);
      ConsumerRecords<Object, Object> polled = reader.poll(Duration.ofSeconds(1));
      while (!polled.isEmpty() && readable.size() < MAX_READABLE) {
        readable.addAll(polled.records(partition));
        next = reader.position(partition);
        polled = reader.poll(Duration.ofSeconds(1));
      }
      consumer.seek(partition, next);
    } catch (KafkaException | Error e) {
      rethrowUnlessUnreadable(e);
      consumer.seek(partition, next);
      // the first failure to load a library has the cause, later ones refer to it
      add(partition, next, failure);
    }
    return readable.isEmpty()
        ? ConsumerRecords.empty()
        : new ConsumerRecords<>(
            Map.of(partition, readable), Map.of(partition, new OffsetAndMetadata(next)));
  }

  /** Returns a consumer without a group. */
  KafkaConsumer<Object, Object> newReader() {
    return new KafkaConsumer<>(properties, keyDeserializer, valueDeserializer);
  }

  private void add(TopicPartition partition, long offset, Throwable failure) {
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

  private void removeRecovered(Set<TopicPartition> polled) {
    for (TopicPartition partition : polled) {
      Batch recovered = batches.remove(partition);
      if (recovered != null) {
        LOG.info("Commands of {} can be read again from offset {}", partition, recovered.offset());
      }
    }
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
   * @return for each partition, what will be skipped, or why nothing
   * @throws IllegalStateException if another search is running
   */
  List<String> requestSkips() {
    if (!searching.compareAndSet(false, true)) {
      throw new IllegalStateException("Another search is running, a minute for each partition");
    }
    try {
      return batches.entrySet().stream()
          .map(entry -> requestSkip(entry.getKey(), entry.getValue().offset()))
          .toList();
    } finally {
      searching.set(false);
    }
  }

  private String requestSkip(TopicPartition partition, long from) {
    try {
      long to = findReadable(partition, from);
      requestedSkips.put(partition, new Skip(from, to));
      return "offsets %d to %d of %s".formatted(from, to - 1, partition);
    } catch (KafkaException | IllegalStateException e) {
      return "nothing of %s: %s".formatted(partition, ErrorMessages.singleLine(e));
    }
  }

  /** Returns the offset of the next command that can be read. */
  private long findReadable(TopicPartition partition, long unreadable) {
    long deadline = nanoTime.getAsLong() + SEARCH_TIMEOUT.toNanos();
    try (KafkaConsumer<Object, Object> consumer = newReader()) {
      consumer.assign(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
      // the exception does not reveal where the batch ends
      long offset = unreadable;
      while (offset < end) {
        if (nanoTime.getAsLong() - deadline >= 0) {
          throw new IllegalStateException(
              "no readable command found from offset %d to %d within %d s"
                  .formatted(unreadable, offset, SEARCH_TIMEOUT.toSeconds()));
        }
        consumer.seek(partition, offset);
        try {
          List<?> records = consumer.poll(Duration.ofSeconds(1)).records(partition);
          if (!records.isEmpty() || consumer.position(partition) > offset) {
            return offset;
          }
        } catch (KafkaException | Error e) {
          rethrowUnlessUnreadable(e);
          offset++;
        }
      }
      return offset;
    }
  }

  /**
   * Throws the failure of a poll, unless it means that a batch cannot be read.
   *
   * @throws KafkaException or {@link Error}, the failure
   */
  static void rethrowUnlessUnreadable(Throwable failure) {
    if (failure instanceof KafkaException kafkaFailure && !isUnreadable(kafkaFailure)) {
      throw kafkaFailure;
    }
    // a library that cannot be loaded: a LinkageError, or an Error of the library's own
    if (failure instanceof VirtualMachineError fatal) {
      throw fatal;
    }
  }

  /** Kafka has no class for it. */
  private static boolean isUnreadable(KafkaException failure) {
    return failure.getClass() == KafkaException.class
        && String.valueOf(failure.getMessage())
            .matches(
                "(?s)(Received exception when fetching the next record"
                    + "|Encountered corrupt message|Record ).*");
  }

  private static String describe(Throwable failure) {
    String reason = ErrorMessages.singleLine(failure);
    return failure instanceof Error ? failure.getClass().getSimpleName() + " " + reason : reason;
  }
}
