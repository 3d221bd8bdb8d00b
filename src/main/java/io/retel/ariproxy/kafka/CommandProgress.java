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
final class CommandProgress {

  private final Map<TopicPartition, PartitionProgress> partitions = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

  /** Partitions that may come back while commands of theirs are under way here. */
  private final Map<TopicPartition, PartitionProgress> gone = new HashMap<>();

  /** The offsets that Kafka is known to have. */
  private final Map<TopicPartition, Long> acknowledged = new HashMap<>();

  /** A partition was assigned, with what was committed for it. */
  synchronized void assigned(TopicPartition partition, long position, OffsetAndMetadata before) {
    AnsweredOffsets answered =
        before == null || before.offset() != position
            ? AnsweredOffsets.none(position)
            : AnsweredOffsets.fromMetadata(before.offset(), before.metadata());
    PartitionProgress former = gone.remove(partition);
    // a topic that was made anew begins before what has been committed
    if (former != null && acknowledged.getOrDefault(partition, 0L) <= position) {
      former.assignedAgain(position, answered);
      partitions.put(partition, former);
    } else {
      partitions.put(partition, new PartitionProgress(position, answered));
    }
    committed.remove(partition);
    acknowledged.put(partition, position);
  }

  /** Partitions go to another reader, which carries out what is not begun yet: nothing more is. */
  synchronized void giveBack(Iterable<TopicPartition> revoked) {
    revoked.forEach(
        partition ->
            Optional.ofNullable(partitions.get(partition)).ifPresent(PartitionProgress::giveBack));
  }

  /** A partition is somebody else's now: what is answered of it later is not ours to commit. */
  synchronized void gone(TopicPartition partition) {
    giveBack(List.of(partition));
    PartitionProgress progress = partitions.remove(partition);
    if (progress != null) {
      gone.put(partition, progress);
    }
    committed.remove(partition);
    notifyAll();
  }

  synchronized boolean take(TopicPartition partition, long offset) {
    PartitionProgress progress = partitions.get(partition);
    return progress != null && progress.take(offset);
  }

  /** What becomes of a command that was taken. */
  synchronized CommandOffset offset(TopicPartition partition, long offset) {
    return new Taken(partitions.get(partition), offset);
  }

  /** A command that was taken. */
  private final class Taken implements CommandOffset {

    private final PartitionProgress partition;
    private final long offset;
    private volatile boolean begun;
    private volatile boolean left;

    Taken(PartitionProgress partition, long offset) {
      this.partition = partition;
      this.offset = offset;
    }

    @Override
    public boolean begin() {
      synchronized (CommandProgress.this) {
        begun = partition.begin(offset);
        left = !begun;
        return begun;
      }
    }

    @Override
    public void commit() {
      synchronized (CommandProgress.this) {
        partition.answered(offset);
        CommandProgress.this.notifyAll();
      }
    }

    @Override
    public void leave() {
      synchronized (CommandProgress.this) {
        left = true;
        partition.leave(offset);
        CommandProgress.this.notifyAll();
      }
    }

    @Override
    public boolean begun() {
      return begun;
    }

    @Override
    public boolean left() {
      return left;
    }
  }

  /** What there is to commit that has not been handed out yet. */
  synchronized Map<TopicPartition, OffsetAndMetadata> toCommit() {
    Map<TopicPartition, OffsetAndMetadata> changed = new HashMap<>();
    partitions.forEach(
        (partition, progress) -> {
          OffsetAndMetadata now =
              new OffsetAndMetadata(
                  progress.watermark(), progress.answeredAboveWatermark().toMetadata());
          if (!now.equals(committed.put(partition, now))) {
            changed.put(partition, now);
          }
        });
    return changed;
  }

  /** Kafka has what was handed out. */
  synchronized void acknowledged(Map<TopicPartition, OffsetAndMetadata> offsets) {
    offsets.forEach((partition, offset) -> acknowledged.put(partition, offset.offset()));
  }

  /** Forgets that something was handed out, because its commit failed. */
  synchronized void commitAgain(Iterable<TopicPartition> failed) {
    failed.forEach(committed::remove);
  }

  /** How many commands are taken and not answered. */
  synchronized int unanswered() {
    return partitions.values().stream().mapToInt(PartitionProgress::unanswered).sum();
  }

  /** The furthest that any partition has run ahead of its watermark. */
  synchronized long window() {
    return partitions.values().stream().mapToLong(PartitionProgress::window).max().orElse(0);
  }

  /** How many commands of these partitions are begun and not answered. */
  synchronized int begun(Iterable<TopicPartition> some) {
    int begun = 0;
    for (TopicPartition partition : some) {
      PartitionProgress progress = partitions.get(partition);
      begun += progress == null ? 0 : progress.begun();
    }
    return begun;
  }

  /**
   * Waits until all that was begun of these partitions is answered.
   *
   * @param timeoutMs how long at most
   * @return how many are left unanswered
   */
  synchronized int awaitBegun(Iterable<TopicPartition> revoked, long timeoutMs)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    while (true) {
      int left = begun(revoked);
      long wait = (deadline - System.nanoTime()) / 1_000_000;
      if (left == 0 || wait <= 0) {
        return left;
      }
      wait(wait);
    }
  }
}
