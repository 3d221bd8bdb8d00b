package io.retel.ariproxy.component.ahcws;

import java.util.function.DoubleSupplier;

/** Exponential back-off with jitter. */
final class Backoff {

  private Backoff() {}

  /**
   * The delay before the next try.
   *
   * @param initial the delay before the first, in milliseconds
   * @param maximum the longest, in milliseconds
   * @param failures how many tries have failed already
   * @param random from 0 (inclusive) to 1 (exclusive)
   * @return milliseconds: half to the whole of {@code initial} doubled with each failure, bounded
   *     by {@code maximum}
   */
  static long delay(long initial, long maximum, int failures, DoubleSupplier random) {
    double doubled = initial * Math.pow(2, Math.min(failures, 62));
    double bounded = Math.min(doubled, maximum);
    return Math.max(1, Math.round(bounded * (0.5 + random.getAsDouble() / 2)));
  }
}
