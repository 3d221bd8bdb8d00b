// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Transactions of controllers that hold back the commands behind them, since only committed
 * commands are executed. One thread updates it; {@link #describe} is thread-safe.
 */
public final class OpenTransactions {

  /** A transaction that is open for less time is normal. */
  private static final Duration TOLERANCE = Duration.ofSeconds(5);

  private final LongSupplier nanoTime;
  private Map<TopicPartition, Transaction> open = new HashMap<>();
  private volatile String description = "";

  /**
   * The first open transaction of a partition.
   *
   * @param offset of its first record
   * @param since when it was first seen, as the time of day
   * @param sinceNanos the same on the monotonic clock
   */
  private record Transaction(long offset, Instant since, long sinceNanos) {}

  /**
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  public OpenTransactions(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** Queries Kafka for open transactions in these partitions; reports none if that fails. */
  public void update(Admin admin, Collection<TopicPartition> partitions)
      throws ExecutionException, InterruptedException {
    description = "";
    Map<TopicPartition, ListOffsetsResultInfo> stable =
        ends(admin, partitions, IsolationLevel.READ_COMMITTED);
    Map<TopicPartition, ListOffsetsResultInfo> ends =
        ends(admin, partitions, IsolationLevel.READ_UNCOMMITTED);
    Map<TopicPartition, Long> offsets = new HashMap<>();
    stable.forEach(
        (partition, info) -> {
          ListOffsetsResultInfo end = ends.get(partition);
          if (end != null && info.offset() < end.offset()) {
            offsets.put(partition, info.offset());
          }
        });
    update(offsets);
  }

  /**
   * Records which transactions are open.
   *
   * @param offsets the first record of the first open transaction, by partition
   */
  void update(Map<TopicPartition, Long> offsets) {
    long now = nanoTime.getAsLong();
    Map<TopicPartition, Transaction> current = new HashMap<>();
    offsets.forEach(
        (partition, offset) -> {
          Transaction known = open.get(partition);
          current.put(
              partition,
              known != null && known.offset() == offset
                  ? known
                  : new Transaction(offset, Instant.now(), now));
        });
    open = current;
    description =
        current.entrySet().stream()
            .filter(entry -> now - entry.getValue().sinceNanos() >= TOLERANCE.toNanos())
            .map(
                entry ->
                    "%s from offset %d since %s"
                        .formatted(
                            entry.getKey(),
                            entry.getValue().offset(),
                            entry.getValue().since().truncatedTo(ChronoUnit.SECONDS)))
            .sorted()
            .collect(Collectors.joining(", "));
  }

  /** Describes in one sentence which commands wait for a transaction to end; empty if none do. */
  public Optional<String> describe() {
    return Optional.of(description)
        .filter(text -> !text.isEmpty())
        .map(text -> "An open transaction holds back the commands of " + text);
  }

  private static Map<TopicPartition, ListOffsetsResultInfo> ends(
      Admin admin, Collection<TopicPartition> partitions, IsolationLevel isolation)
      throws ExecutionException, InterruptedException {
    return admin
        .listOffsets(
            partitions.stream()
                .collect(
                    Collectors.toMap(partition -> partition, partition -> OffsetSpec.latest())),
            new ListOffsetsOptions(isolation))
        .all()
        .get();
  }
}
