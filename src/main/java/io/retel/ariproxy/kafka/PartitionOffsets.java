// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;

/**
 * Progress of one partition: which commands are accepted, started and completed.
 *
 * <p>The committed offset is the <em>watermark</em>, below which all commands are completed. The
 * metadata lists the completed offsets at and above it (docs/contract.md#commands). Not
 * thread-safe.
 */
final class PartitionOffsets {

  /** Accepted and not completed, with the size in bytes. */
  private final TreeMap<Long, Integer> incomplete = new TreeMap<>();

  /** Sum of the sizes of {@link #incomplete}. */
  private long incompleteBytes;

  private final Set<Long> started = new HashSet<>();
  private CompletedOffsets previouslyCompleted;
  private long base;
  private long position;
  private boolean released;

  /**
   * @param committed the last committed offset
   * @param previouslyCompleted completed offsets above it, from the commit
   */
  PartitionOffsets(long committed, CompletedOffsets previouslyCompleted) {
    this.base = committed;
    this.position = committed;
    this.previouslyCompleted = previouslyCompleted;
  }

  /**
   * Resumes a partition that was revoked or lost and is assigned again.
   *
   * <p>Commands started here are not accepted again, nor are those completed here without a commit.
   *
   * @param committed the last committed offset
   * @param completed completed offsets above it, from the commit
   */
  void reassigned(long committed, CompletedOffsets completed) {
    previouslyCompleted.startingAt(committed).forEach(completed::add);
    // a gap in the topic's offsets can be wider than the window
    long end = Math.min(position, committed + CompletedOffsets.MAX_WINDOW);
    for (long offset = Math.max(committed, base); offset < end; offset++) {
      if (!incomplete.containsKey(offset)) {
        completed.add(offset);
      }
    }
    started.removeIf(offset -> offset < committed);
    incomplete.keySet().retainAll(started);
    incompleteBytes = incomplete.values().stream().mapToLong(Integer::longValue).sum();
    previouslyCompleted = completed;
    base = committed;
    position = committed;
    released = false;
  }

  /**
   * Accepts an offset that was read.
   *
   * @param bytes the size of the command
   * @return false if it must not be executed: it was accepted or completed before, or the partition
   *     is released
   */
  boolean accept(long offset, int bytes) {
    if (released || offset < position) {
      return false;
    }
    position = offset + 1;
    if (previouslyCompleted.contains(offset) || started.contains(offset)) {
      return false;
    }
    Integer previous = incomplete.put(offset, bytes);
    incompleteBytes += bytes - (previous == null ? 0 : previous);
    return true;
  }

  /** Continues at a later offset; those in between are not executed. */
  void skipTo(long offset) {
    position = Math.max(position, offset);
  }

  /** The next offset to be read. */
  long position() {
    return position;
  }

  /**
   * Marks an accepted offset as started.
   *
   * @return false if it must not be executed: the partition is released, or was reassigned and the
   *     offset is started or completed by now
   */
  boolean tryStart(long offset) {
    boolean isCompleted =
        offset < base
            || previouslyCompleted.contains(offset)
            || offset < position && !incomplete.containsKey(offset);
    if (released || isCompleted || !started.add(offset)) {
      return false;
    }
    incomplete.putIfAbsent(offset, 0);
    return true;
  }

  /** Marks an offset as completed. */
  void completed(long offset) {
    if (started.remove(offset) && offset >= position) {
      // started before a reassignment, and will be read again
      previouslyCompleted.add(offset);
    }
    Integer bytes = incomplete.remove(offset);
    incompleteBytes -= bytes == null ? 0 : bytes;
  }

  /** Releases a started offset, which stays incomplete, and the partition. */
  void release(long offset) {
    started.remove(offset);
    releasePartition();
  }

  /** Releases the partition: no further commands are started. */
  void releasePartition() {
    released = true;
  }

  /** All offsets below this one are completed. */
  long watermark() {
    return incomplete.isEmpty() ? position : Math.min(position, incomplete.firstKey());
  }

  /** Whether an offset below this one is accepted and not completed. */
  boolean isIncompleteBelow(long offset) {
    return !incomplete.isEmpty() && incomplete.firstKey() < offset;
  }

  /** Number of offsets accepted and not completed. */
  int incomplete() {
    return incomplete.size();
  }

  /** Size of the commands accepted and not completed, in bytes. */
  long incompleteBytes() {
    return incompleteBytes;
  }

  /** Number of offsets started and not completed. */
  int started() {
    return started.size();
  }

  /** The offset that was committed when the partition was assigned. */
  long start() {
    return base;
  }

  /** Returns the completed offsets at and above the watermark. */
  CompletedOffsets completedAboveWatermark() {
    long watermark = watermark();
    BitSet completed = new BitSet();
    // a gap in the topic's offsets can be wider than the window
    long limit = Math.min(position, watermark + CompletedOffsets.MAX_WINDOW);
    completed.set(0, (int) (limit - watermark));
    for (long offset : incomplete.headMap(limit).keySet()) {
      completed.clear((int) (offset - watermark));
    }
    // retains earlier completed offsets until they are read again
    previouslyCompleted
        .startingAt(position)
        .forEach(offset -> completed.set((int) (offset - watermark)));
    return new CompletedOffsets(watermark, completed);
  }
}
