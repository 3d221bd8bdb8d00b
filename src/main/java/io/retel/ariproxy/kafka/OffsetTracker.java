package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The progress of all partitions that one consumer has now. Offsets are taken by the consumer's
 * thread and answered by any; safe for use by many threads.
 */
final class OffsetTracker {

  private final Map<TopicPartition, PartitionOffsets> partitions = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

  /** Partitions that may come back while commands of theirs are under way here. */
  private final Map<TopicPartition, PartitionOffsets> revoked = new HashMap<>();

  /** The offsets that Kafka is known to have. */
  private final Map<TopicPartition, Long> acknowledged = new HashMap<>();

  /** A partition was assigned, with what was committed for it. */
  synchronized void assigned(
      TopicPartition partition, long position, OffsetAndMetadata lastCommit) {
    CompletedOffsets completed =
        lastCommit == null || lastCommit.offset() != position
            ? CompletedOffsets.empty(position)
            : CompletedOffsets.fromMetadata(lastCommit.offset(), lastCommit.metadata());
    PartitionOffsets previous = revoked.remove(partition);
    // a topic that was made anew begins before what has been committed
    if (previous != null && acknowledged.getOrDefault(partition, 0L) <= position) {
      previous.reassigned(position, completed);
      partitions.put(partition, previous);
    } else {
      partitions.put(partition, new PartitionOffsets(position, completed));
    }
    committed.remove(partition);
    acknowledged.put(partition, position);
  }

  /** Partitions go to another reader, which carries out what is not begun yet: nothing more is. */
  synchronized void releasePartitions(Iterable<TopicPartition> revokedPartitions) {
    revokedPartitions.forEach(
        partition ->
            Optional.ofNullable(partitions.get(partition))
                .ifPresent(PartitionOffsets::releasePartition));
  }

  /** A partition is somebody else's now: what is answered of it later is not ours to commit. */
  synchronized void revoked(TopicPartition partition) {
    releasePartitions(List.of(partition));
    PartitionOffsets progress = partitions.remove(partition);
    if (progress != null) {
      revoked.put(partition, progress);
    }
    committed.remove(partition);
    notifyAll();
  }

  synchronized boolean accept(TopicPartition partition, long offset) {
    PartitionOffsets progress = partitions.get(partition);
    return progress != null && progress.accept(offset);
  }

  /** What becomes of a command that was taken. */
  synchronized CommandHandle handle(TopicPartition partition, long offset) {
    return new TrackedCommand(partitions.get(partition), offset);
  }

  /** A command that was taken. */
  private final class TrackedCommand implements CommandHandle {

    private final PartitionOffsets partition;
    private final long offset;
    private volatile boolean started;
    private volatile boolean released;

    TrackedCommand(PartitionOffsets partition, long offset) {
      this.partition = partition;
      this.offset = offset;
    }

    @Override
    public boolean tryStart() {
      synchronized (OffsetTracker.this) {
        started = partition.tryStart(offset);
        released = !started;
        return started;
      }
    }

    @Override
    public void commit() {
      synchronized (OffsetTracker.this) {
        partition.completed(offset);
        OffsetTracker.this.notifyAll();
      }
    }

    @Override
    public void release() {
      synchronized (OffsetTracker.this) {
        released = true;
        partition.release(offset);
        OffsetTracker.this.notifyAll();
      }
    }

    @Override
    public boolean started() {
      return started;
    }

    @Override
    public boolean released() {
      return released;
    }
  }

  /** What there is to commit that has not been handed out yet. */
  synchronized Map<TopicPartition, OffsetAndMetadata> offsetsToCommit() {
    Map<TopicPartition, OffsetAndMetadata> changed = new HashMap<>();
    partitions.forEach(
        (partition, progress) -> {
          OffsetAndMetadata current =
              new OffsetAndMetadata(
                  progress.watermark(), progress.completedAboveWatermark().toMetadata());
          if (!current.equals(committed.put(partition, current))) {
            changed.put(partition, current);
          }
        });
    return changed;
  }

  /** Kafka has what was handed out. */
  synchronized void acknowledged(Map<TopicPartition, OffsetAndMetadata> offsets) {
    offsets.forEach((partition, offset) -> acknowledged.put(partition, offset.offset()));
  }

  /** Forgets that something was handed out, because its commit failed. */
  synchronized void retryCommit(Iterable<TopicPartition> failed) {
    failed.forEach(committed::remove);
  }

  /** How many commands are taken and not answered. */
  synchronized int incomplete() {
    return partitions.values().stream().mapToInt(PartitionOffsets::incomplete).sum();
  }

  /** The furthest that any partition has run ahead of its watermark. */
  synchronized long window() {
    return partitions.values().stream().mapToLong(PartitionOffsets::window).max().orElse(0);
  }

  /** How many commands of these partitions are begun and not answered. */
  synchronized int started(Iterable<TopicPartition> selected) {
    int count = 0;
    for (TopicPartition partition : selected) {
      PartitionOffsets progress = partitions.get(partition);
      count += progress == null ? 0 : progress.started();
    }
    return count;
  }

  /**
   * Waits until all that was begun of these partitions is answered.
   *
   * @param timeoutMs how long at most
   * @return how many are left unanswered
   */
  synchronized int awaitCompletion(Iterable<TopicPartition> revokedPartitions, long timeoutMs)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    while (true) {
      int remaining = started(revokedPartitions);
      long waitMs = (deadline - System.nanoTime()) / 1_000_000;
      if (remaining == 0 || waitMs <= 0) {
        return remaining;
      }
      wait(waitMs);
    }
  }
}
