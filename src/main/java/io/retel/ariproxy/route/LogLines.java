// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import java.util.function.LongSupplier;

/** Limits the lines of a {@code log} step, which would fill a disk. Thread-safe. */
final class LogLines {

  /** Lines of a step in a second. */
  static final int MAX_LINES = 10;

  private static final long INTERVAL_NANOS = Duration.ofSeconds(1).toNanos();

  private final LongSupplier nanoTime;
  private long intervalStart;
  private int lines;

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  LogLines(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.intervalStart = nanoTime.getAsLong();
  }

  /** Returns whether another line can be written in this second. */
  synchronized boolean tryAcquire() {
    long now = nanoTime.getAsLong();
    if (now - intervalStart >= INTERVAL_NANOS) {
      intervalStart = now;
      lines = 0;
    }
    return ++lines <= MAX_LINES;
  }
}
