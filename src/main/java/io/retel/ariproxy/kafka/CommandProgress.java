package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * The progress of all partitions that one consumer has now. Offsets are taken by the consumer's
 * thread and answered by any; safe for use by many threads.
 */
final class CommandProgress {

  private final Map<TopicPartition, PartitionProgress> partitions = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

  /** A partition was assigned, with what was committed for it. */
  synchronized void assigned(TopicPartition partition, long position, OffsetAndMetadata before) {
    AnsweredOffsets answered =
        before == null || before.offset() != position
            ? AnsweredOffsets.none(position)
            : AnsweredOffsets.fromMetadata(before.offset(), before.metadata());
    partitions.put(partition, new PartitionProgress(position, answered));
    committed.remove(partition);
  }

  /** A partition is somebody else's now: what is answered of it later is not ours to commit. */
  synchronized void gone(TopicPartition partition) {
    partitions.remove(partition);
    committed.remove(partition);
    notifyAll();
  }

  synchronized boolean take(TopicPartition partition, long offset) {
    PartitionProgress progress = partitions.get(partition);
    return progress != null && progress.take(offset);
  }

  synchronized void answered(TopicPartition partition, long offset) {
    PartitionProgress progress = partitions.get(partition);
    if (progress != null) {
      progress.answered(offset);
      notifyAll();
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

  /**
   * Waits until all that was taken of these partitions is answered.
   *
   * @param timeoutMs how long at most
   * @return how many are left unanswered
   */
  synchronized int awaitAnswered(Iterable<TopicPartition> revoked, long timeoutMs)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    while (true) {
      int left = 0;
      for (TopicPartition partition : revoked) {
        PartitionProgress progress = partitions.get(partition);
        left += progress == null ? 0 : progress.unanswered();
      }
      long wait = (deadline - System.nanoTime()) / 1_000_000;
      if (left == 0 || wait <= 0) {
        return left;
      }
      wait(wait);
    }
  }
}
