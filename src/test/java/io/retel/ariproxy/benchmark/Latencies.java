// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.time.Duration;
import java.util.Arrays;

/**
 * How long messages took.
 *
 * @param sorted in nanoseconds, the shortest first
 */
record Latencies(long[] sorted) {

  /** Returns the time, in milliseconds, within which that percentage of the messages arrived. */
  double percentile(double percentage) {
    return sorted[Math.max(0, (int) Math.ceil(sorted.length * percentage / 100) - 1)] / 1e6;
  }

  /** Returns the percentage of messages that arrived within a time. */
  double percentageWithin(Duration time) {
    long within = Arrays.stream(sorted).filter(nanos -> nanos <= time.toNanos()).count();
    return 100.0 * within / sorted.length;
  }
}
