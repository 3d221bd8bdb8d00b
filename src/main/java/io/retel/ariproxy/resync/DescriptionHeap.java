// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import java.util.Collection;

/**
 * The heap of the descriptions of resources, of all together that one resync keeps.
 *
 * <p>An attempt reserves it for each description; the events thread takes the descriptions, and
 * releases what it has reported. Thread-safe.
 */
final class DescriptionHeap {

  /** Share of the heap. */
  private static final int SHARE = 16;

  private final long maxBytes;

  /** Those that the events thread has, and those being reported. */
  private long takenBytes;

  /** All since the start of the attempt. */
  private long bytes;

  private boolean exceeded;

  DescriptionHeap() {
    this(Runtime.getRuntime().maxMemory() / SHARE);
  }

  /**
   * @param maxBytes the limit
   */
  DescriptionHeap(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * Starts an attempt.
   *
   * @param waiting what the events thread has not taken yet
   */
  synchronized void startAttempt(Collection<Observation> waiting) {
    bytes = takenBytes + bytes(waiting);
    exceeded = false;
  }

  /** Reserves bytes for this attempt; returns false if it has no more for them. */
  synchronized boolean reserve(long description) {
    if (description > maxBytes - bytes) {
      exceeded = true;
      return false;
    }
    bytes += description;
    return true;
  }

  /** Returns the bytes that this attempt can still reserve. */
  synchronized long available() {
    return maxBytes - bytes;
  }

  /** Records that this attempt had no heap for a description. */
  synchronized void exceed() {
    exceeded = true;
  }

  /** Whether a description exceeds the heap alone. */
  boolean isTooLarge(long description) {
    return description > maxBytes;
  }

  /** Describes an exceeded heap, in a clause. */
  String exceeded() {
    return "descriptions of resources exceed a sixteenth of the heap (%d MB)"
        .formatted(maxBytes >> 20);
  }

  /** Whether this attempt had no heap for a description. The next one can have it. */
  synchronized boolean isExceeded() {
    return exceeded;
  }

  /** Records that the events thread has taken descriptions. */
  synchronized void take(Collection<Observation> observations) {
    takenBytes += bytes(observations);
  }

  /**
   * Releases what the events thread has reported.
   *
   * @param remaining the bytes of what it has not
   */
  synchronized void releaseReported(long remaining) {
    takenBytes = remaining;
  }

  static long bytes(Collection<Observation> observations) {
    return observations.stream().mapToLong(Observation::bytes).sum();
  }
}
