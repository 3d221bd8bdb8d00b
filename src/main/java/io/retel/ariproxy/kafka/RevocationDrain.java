package io.retel.ariproxy.kafka;

import java.util.Collection;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Waits until what is begun of partitions that are given back is answered.
 *
 * <p>While the proxy runs on nothing cuts it short. Camel interrupts a consumer whose route stops
 * slowly, and does not know that what is not answered is carried out again elsewhere; such a
 * consumer ends by itself, and leaves its group in order if the interrupt is forgotten. A stop of
 * the proxy that begins meanwhile does cut it short.
 */
final class RevocationDrain {

  /** How often is looked whether the proxy stops. */
  private static final long POLL_INTERVAL_MS = 100;

  private final OffsetTracker tracker;
  private final DrainTimeouts timeouts;
  private final BooleanSupplier stopping;

  /**
   * @param stopping whether the proxy stops
   */
  RevocationDrain(OffsetTracker tracker, DrainTimeouts timeouts, BooleanSupplier stopping) {
    this.tracker = tracker;
    this.timeouts = timeouts;
    this.stopping = stopping;
  }

  /** Returns how many are left unanswered when the time is over. */
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
