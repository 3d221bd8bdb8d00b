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
final class Drain {

  /** How often is looked whether the proxy stops. */
  private static final long LOOK_MS = 100;

  private final CommandProgress progress;
  private final DrainTime time;
  private final BooleanSupplier stopping;

  /**
   * @param stopping whether the proxy stops
   */
  Drain(CommandProgress progress, DrainTime time, BooleanSupplier stopping) {
    this.progress = progress;
    this.time = time;
    this.stopping = stopping;
  }

  /** Returns how many are left unanswered when the time is over. */
  int await(Collection<TopicPartition> partitions) {
    boolean stops = stopping.getAsBoolean();
    long end = System.nanoTime() + (stops ? time.stopping() : time.running()).toNanos();
    while (true) {
      if (!stops && stopping.getAsBoolean()) {
        stops = true;
        end = sooner(end, System.nanoTime() + time.stopping().toNanos());
      }
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      try {
        int unanswered = progress.awaitBegun(partitions, Math.min(left, LOOK_MS));
        if (unanswered == 0 || left <= 0) {
          return unanswered;
        }
      } catch (InterruptedException e) {
        if (stops) {
          Thread.currentThread().interrupt();
          return progress.begun(partitions);
        }
      }
    }
  }

  private static long sooner(long one, long other) {
    return one - other < 0 ? one : other;
  }
}
