// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.concurrent.TimeUnit;

/**
 * The heap of the copies that wait in one place: a queue of {@code seda}, or a {@code wireTap}
 * step. Camel limits only their number, and a message can have 16 MB. Thread-safe.
 */
final class CopyHeap {

  private final long limit;
  private long used;

  /**
   * @param limit the heap for all copies, in bytes; a larger one waits alone
   */
  CopyHeap(long limit) {
    this.limit = limit;
  }

  /** Adds a copy, unless others take too much; one of 0 bytes always. */
  synchronized boolean tryAdd(long bytes) {
    if (bytes > 0 && used > 0 && bytes > limit - used) {
      return false;
    }
    used += bytes;
    return true;
  }

  /** Adds a copy once others do not take too much; returns false after the timeout. */
  synchronized boolean add(long bytes, long timeoutNanos) throws InterruptedException {
    long deadline = System.nanoTime() + timeoutNanos;
    while (!tryAdd(bytes)) {
      long remaining = deadline - System.nanoTime();
      if (remaining <= 0) {
        return false;
      }
      TimeUnit.NANOSECONDS.timedWait(this, remaining);
    }
    return true;
  }

  synchronized void remove(long bytes) {
    used -= bytes;
    notifyAll();
  }

  /** The size at which a copy waits alone; its exact size does not matter then. */
  long limit() {
    return limit;
  }

  /** Returns why a copy cannot wait. */
  String full() {
    return "Copies that wait take all of their heap, %d KB".formatted(limit >> 10);
  }
}
