package io.retel.ariproxy.kafka;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * How far the commands of one partition are: which have been taken, which of them are begun, and
 * which are answered.
 *
 * <p>What is committed is the <em>watermark</em>, below which all is answered; which offsets at and
 * above it are answered too goes along with it (contract.md section 4). Not safe for use by many
 * threads.
 */
final class PartitionOffsets {

  private final TreeSet<Long> incomplete = new TreeSet<>();
  private final Set<Long> started = new HashSet<>();
  private CompletedOffsets previouslyCompleted;
  private long base;
  private long position;
  private boolean released;

  /**
   * @param committed the offset that was committed before
   * @param answeredBefore the offsets above it that were answered before
   */
  PartitionOffsets(long committed, CompletedOffsets previouslyCompleted) {
    this.base = committed;
    this.position = committed;
    this.previouslyCompleted = previouslyCompleted;
  }

  /**
   * The partition is back, after it was given back or lost. What was begun here is not handed out
   * again, nor is what was answered here and could not be committed.
   *
   * @param committed the offset that was committed before
   * @param answered the offsets above it that were answered before
   */
  void reassigned(long committed, CompletedOffsets completed) {
    previouslyCompleted.startingAt(committed).forEach(completed::add);
    for (long offset = Math.max(committed, base); offset < position; offset++) {
      if (!incomplete.contains(offset)) {
        completed.add(offset);
      }
    }
    started.removeIf(offset -> offset < committed);
    incomplete.retainAll(started);
    previouslyCompleted = completed;
    base = committed;
    position = committed;
    released = false;
  }

  /**
   * Takes an offset that was read.
   *
   * @return false if it must not be carried out: it was taken already, or answered before
   */
  boolean accept(long offset) {
    if (released || offset < position) {
      return false;
    }
    position = offset + 1;
    if (previouslyCompleted.contains(offset) || started.contains(offset)) {
      return false;
    }
    incomplete.add(offset);
    return true;
  }

  /**
   * An offset that was taken is about to be carried out.
   *
   * @return false if it must not be: the partition is given back, or has been away, and the offset
   *     is begun or answered by now
   */
  boolean tryStart(long offset) {
    boolean isCompleted =
        offset < base
            || previouslyCompleted.contains(offset)
            || offset < position && !incomplete.contains(offset);
    if (released || isCompleted || !started.add(offset)) {
      return false;
    }
    incomplete.add(offset);
    return true;
  }

  /** An offset is answered. */
  void completed(long offset) {
    if (started.remove(offset) && offset >= position) {
      // it was begun before the partition was away, and is read again
      previouslyCompleted.add(offset);
    }
    incomplete.remove(offset);
  }

  /** An offset that was begun is not carried out after all, and stays unanswered. */
  void release(long offset) {
    started.remove(offset);
    releasePartition();
  }

  /** The partition goes to another reader: nothing more of it is begun. */
  void releasePartition() {
    released = true;
  }

  /** Below this offset all is answered. */
  long watermark() {
    return incomplete.isEmpty() ? position : Math.min(position, incomplete.first());
  }

  /** How many are taken and not answered. */
  int incomplete() {
    return incomplete.size();
  }

  /** How many are begun and not answered. */
  int started() {
    return started.size();
  }

  /** How far the furthest that was taken is from the watermark. */
  long window() {
    return position - watermark();
  }

  /** The offsets at and above the watermark that are answered. */
  CompletedOffsets completedAboveWatermark() {
    long watermark = watermark();
    BitSet completed = new BitSet();
    // a gap in the topic's offsets may be wider than what can be noted
    long limit = Math.min(position, watermark + CompletedOffsets.MAX_WINDOW);
    completed.set(0, (int) (limit - watermark));
    for (long offset : incomplete.headSet(limit)) {
      completed.clear((int) (offset - watermark));
    }
    // what was answered before stays so until it is read again
    previouslyCompleted
        .startingAt(position)
        .forEach(offset -> completed.set((int) (offset - watermark)));
    return new CompletedOffsets(watermark, completed);
  }
}
