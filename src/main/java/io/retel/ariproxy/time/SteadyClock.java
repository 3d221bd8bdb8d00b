// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.time;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The time of day as of the start of this clock, plus the time elapsed since. Steps of the system
 * clock do not change it, so its instants can be subtracted. Thread-safe.
 */
public final class SteadyClock implements InstantSource {

  private final LongSupplier nanoTime;
  private final Instant start;
  private final long startNanos;

  public SteadyClock() {
    this(InstantSource.system(), System::nanoTime);
  }

  /**
   * @param timeOfDay read once
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  SteadyClock(InstantSource timeOfDay, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.start = timeOfDay.instant();
    this.startNanos = nanoTime.getAsLong();
  }

  @Override
  public Instant instant() {
    return start.plusNanos(nanoTime.getAsLong() - startNanos);
  }
}
