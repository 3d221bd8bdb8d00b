// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.BitSet;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/**
 * Finds the recent commands of a partition by the timestamp of each.
 *
 * <p>Kafka finds only the first record since a time. Timestamps are those of controllers: after one
 * record of a host whose clock was ahead, all older ones would count as recent.
 */
final class RecentCommands {

  /** How far a timestamp can be ahead of this host's clock. */
  private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(1);

  /**
   * Limit for reading the timestamps of all partitions; shorter than Kafka waits for a consumer to
   * poll.
   */
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** Minimum for one partition: a broker can be slow. */
  private static final Duration MIN_TIMEOUT = Duration.ofSeconds(5);

  private final Supplier<Consumer<Object, Object>> readers;
  private final InstantSource clock;
  private final LongSupplier nanoTime;

  /**
   * @param readers returns a consumer without a group
   * @param clock that timestamps are compared with
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  RecentCommands(
      Supplier<Consumer<Object, Object>> readers, InstantSource clock, LongSupplier nanoTime) {
    this.readers = readers;
    this.clock = clock;
    this.nanoTime = nanoTime;
  }

  /** Returns the limit for reading the timestamps of each of so many partitions. */
  static Duration timeout(int partitions) {
    Duration share = TIMEOUT.dividedBy(partitions);
    return share.compareTo(MIN_TIMEOUT) > 0 ? share : MIN_TIMEOUT;
  }

  /**
   * Returns the first recent command of a partition, or its end, and the offsets beyond it that are
   * not recent, as completed ones. Blocks while it reads the commands.
   *
   * @param from the first offset that can be recent
   * @param end the offset after the last command that exists
   * @param oldest limit of recent commands
   * @param timeout for reading them
   * @throws KafkaException if Kafka does not respond
   */
  CompletedOffsets find(
      TopicPartition partition, long from, long end, Instant oldest, Duration timeout) {
    BitSet old = from < end ? findOld(partition, from, end, oldest, timeout) : new BitSet();
    // more do not fit into a commit
    int start = old.nextClearBit(Math.max(0, old.length() - CompletedOffsets.MAX_WINDOW));
    return new CompletedOffsets(from + start, old.get(start, Math.max(start, old.length())));
  }

  /** Returns the commands that are not recent, relative to the first offset. */
  private BitSet findOld(
      TopicPartition partition, long from, long end, Instant oldest, Duration timeout) {
    long newestMillis = clock.instant().plus(CLOCK_TOLERANCE).toEpochMilli();
    BitSet old = new BitSet();
    long startNanos = nanoTime.getAsLong();
    try (Consumer<Object, Object> reader = readers.get()) {
      reader.assign(List.of(partition));
      reader.seek(partition, from);
      while (reader.position(partition) < end) {
        if (nanoTime.getAsLong() - startNanos >= timeout.toNanos()) {
          onTimeout(partition, reader.position(partition), from, end, old);
          break;
        }
        for (ConsumerRecord<Object, Object> record :
            reader.poll(Duration.ofSeconds(1)).records(partition)) {
          boolean isRecent =
              record.timestamp() >= oldest.toEpochMilli() && record.timestamp() <= newestMillis;
          if (!isRecent && record.offset() < end) {
            old.set(Math.toIntExact(record.offset() - from));
          }
        }
      }
    } catch (KafkaException | Error e) {
      // the commands from an unreadable batch on wait until an operator skips it
      UnreadableBatches.rethrowUnlessUnreadable(e);
    }
    return old;
  }

  /**
   * Decides about the commands that were not read in time: they are recent if all others were.
   *
   * @throws TimeoutException if none were read
   */
  private static void onTimeout(
      TopicPartition partition, long position, long from, long end, BitSet old) {
    if (position == from) {
      throw new TimeoutException("No commands of " + partition + " read from offset " + from);
    }
    if (!old.isEmpty()) {
      old.set(Math.toIntExact(position - from), Math.toIntExact(end - from));
    }
  }
}
