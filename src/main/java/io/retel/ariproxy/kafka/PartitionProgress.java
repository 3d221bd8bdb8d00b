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
final class PartitionProgress {

  private final TreeSet<Long> unanswered = new TreeSet<>();
  private final Set<Long> begun = new HashSet<>();
  private AnsweredOffsets answeredBefore;
  private long base;
  private long position;
  private boolean givenBack;

  /**
   * @param committed the offset that was committed before
   * @param answeredBefore the offsets above it that were answered before
   */
  PartitionProgress(long committed, AnsweredOffsets answeredBefore) {
    this.base = committed;
    this.position = committed;
    this.answeredBefore = answeredBefore;
  }

  /**
   * The partition is back, after it was given back or lost. What was begun here is not handed out
   * again, nor is what was answered here and could not be committed.
   *
   * @param committed the offset that was committed before
   * @param answered the offsets above it that were answered before
   */
  void assignedAgain(long committed, AnsweredOffsets answered) {
    answeredBefore.from(committed).forEach(answered::add);
    for (long offset = Math.max(committed, base); offset < position; offset++) {
      if (!unanswered.contains(offset)) {
        answered.add(offset);
      }
    }
    begun.removeIf(offset -> offset < committed);
    unanswered.retainAll(begun);
    answeredBefore = answered;
    base = committed;
    position = committed;
    givenBack = false;
  }

  /**
   * Takes an offset that was read.
   *
   * @return false if it must not be carried out: it was taken already, or answered before
   */
  boolean take(long offset) {
    if (givenBack || offset < position) {
      return false;
    }
    position = offset + 1;
    if (answeredBefore.contains(offset) || begun.contains(offset)) {
      return false;
    }
    unanswered.add(offset);
    return true;
  }

  /**
   * An offset that was taken is about to be carried out.
   *
   * @return false if it must not be: the partition is given back, or has been away, and the offset
   *     is begun or answered by now
   */
  boolean begin(long offset) {
    boolean answered =
        offset < base
            || answeredBefore.contains(offset)
            || offset < position && !unanswered.contains(offset);
    if (givenBack || answered || !begun.add(offset)) {
      return false;
    }
    unanswered.add(offset);
    return true;
  }

  /** An offset is answered. */
  void answered(long offset) {
    if (begun.remove(offset) && offset >= position) {
      // it was begun before the partition was away, and is read again
      answeredBefore.add(offset);
    }
    unanswered.remove(offset);
  }

  /** An offset that was begun is not carried out after all, and stays unanswered. */
  void leave(long offset) {
    begun.remove(offset);
    giveBack();
  }

  /** The partition goes to another reader: nothing more of it is begun. */
  void giveBack() {
    givenBack = true;
  }

  /** Below this offset all is answered. */
  long watermark() {
    return unanswered.isEmpty() ? position : Math.min(position, unanswered.first());
  }

  /** How many are taken and not answered. */
  int unanswered() {
    return unanswered.size();
  }

  /** How many are begun and not answered. */
  int begun() {
    return begun.size();
  }

  /** How far the furthest that was taken is from the watermark. */
  long window() {
    return position - watermark();
  }

  /** The offsets at and above the watermark that are answered. */
  AnsweredOffsets answeredAboveWatermark() {
    long watermark = watermark();
    BitSet answered = new BitSet();
    // a gap in the topic's offsets may be wider than what can be noted
    long noted = Math.min(position, watermark + AnsweredOffsets.MAX_WINDOW);
    answered.set(0, (int) (noted - watermark));
    for (long offset : unanswered.headSet(noted)) {
      answered.clear((int) (offset - watermark));
    }
    // what was answered before stays so until it is read again
    answeredBefore.from(position).forEach(offset -> answered.set((int) (offset - watermark)));
    return new AnsweredOffsets(watermark, answered);
  }
}
