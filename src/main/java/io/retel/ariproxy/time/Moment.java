// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.time;

import java.time.Duration;
import java.time.Instant;

/**
 * A point in time of this process.
 *
 * @param timeOfDay for display
 * @param nanos on {@link System#nanoTime}'s clock
 */
public record Moment(Instant timeOfDay, long nanos) {

  public static Moment now() {
    return new Moment(Instant.now(), System.nanoTime());
  }

  /** Returns the time since an earlier moment. */
  public Duration since(Moment earlier) {
    return Duration.ofNanos(nanos - earlier.nanos);
  }

  /**
   * Returns an earlier moment's time of day as of this moment's clock: if the system clock was set
   * in between, the result is consistent with {@link #timeOfDay}.
   */
  public Instant timeOfDayOf(Moment earlier) {
    return timeOfDay.minus(since(earlier));
  }
}
