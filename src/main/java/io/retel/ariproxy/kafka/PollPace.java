// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * How long a poll waits for commands: shorter while offsets will have to be committed, longer at
 * rest. A command ends the wait at any time. For one thread.
 */
final class PollPace {

  /** Offsets of the last commands are committed, and Kafka has answered, by then. */
  static final Duration REST_AFTER = Duration.ofSeconds(2);

  /** At rest. A stop of the route, which waits for the poll, must not take noticeably longer. */
  static final Duration REST_TIMEOUT = Duration.ofMillis(500);

  private final LongSupplier nanoTime;
  private final Duration commitInterval;
  private long activeNanos;

  /**
   * @param nanoTime a monotonic clock
   * @param commitInterval between commits while commands are incomplete
   */
  PollPace(LongSupplier nanoTime, Duration commitInterval) {
    this.nanoTime = nanoTime;
    this.commitInterval = commitInterval;
    this.activeNanos = nanoTime.getAsLong();
  }

  /** Records that a poll has returned commands. */
  void received() {
    activeNanos = nanoTime.getAsLong();
  }

  /**
   * Returns how long the next poll waits.
   *
   * @param configured the timeout of the route
   * @param incomplete whether commands are incomplete
   * @param settled whether partitions are assigned, and all of them are fetched
   */
  Duration timeout(Duration configured, boolean incomplete, boolean settled) {
    long now = nanoTime.getAsLong();
    if (incomplete || !settled) {
      activeNanos = now;
    }
    if (incomplete) {
      return min(configured, commitInterval);
    }
    return now - activeNanos < REST_AFTER.toNanos() || REST_TIMEOUT.compareTo(configured) < 0
        ? configured
        : REST_TIMEOUT;
  }

  private static Duration min(Duration first, Duration second) {
    return first.compareTo(second) < 0 ? first : second;
  }
}
