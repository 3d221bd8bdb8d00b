// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits for the started commands of revoked partitions.
 *
 * <p>While the proxy is running, interrupts are ignored: Camel interrupts the consumer of a route
 * that is slow to stop, and incomplete commands would be executed again elsewhere. The consumer
 * ends without the interrupt and can leave its group properly. If the proxy begins to stop during
 * the wait, the shorter timeout applies.
 */
final class RevocationDrain {

  /** How often to check whether the proxy is stopping. */
  private static final long POLL_INTERVAL_MS = 100;

  private final OffsetTracker tracker;
  private final DrainTimeouts timeouts;
  private final BooleanSupplier stopping;

  /**
   * @param stopping whether the proxy is stopping
   */
  RevocationDrain(OffsetTracker tracker, DrainTimeouts timeouts, BooleanSupplier stopping) {
    this.tracker = tracker;
    this.timeouts = timeouts;
    this.stopping = stopping;
  }

  /** Returns the number of commands still incomplete when the wait ends. */
  int await(Collection<TopicPartition> partitions) {
    boolean isStopping = stopping.getAsBoolean();
    long deadline =
        System.nanoTime() + (isStopping ? timeouts.stopping() : timeouts.running()).toNanos();
    while (true) {
      if (!isStopping && stopping.getAsBoolean()) {
        isStopping = true;
        deadline = earlier(deadline, System.nanoTime() + timeouts.stopping().toNanos());
      }
      long remainingMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
      try {
        int incomplete =
            tracker.awaitCompletion(partitions, Math.min(remainingMs, POLL_INTERVAL_MS));
        if (incomplete == 0 || remainingMs <= 0) {
          return incomplete;
        }
      } catch (InterruptedException e) {
        if (isStopping) {
          Thread.currentThread().interrupt();
          return tracker.started(partitions);
        }
      }
    }
  }

  private static long earlier(long one, long other) {
    return one - other < 0 ? one : other;
  }
}
