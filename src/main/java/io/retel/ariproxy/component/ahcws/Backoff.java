// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.util.function.DoubleSupplier;

/** Exponential backoff with jitter. */
final class Backoff {

  private Backoff() {}

  /**
   * Returns the delay before the next attempt, in milliseconds.
   *
   * @param initial delay before the first retry, in milliseconds
   * @param maximum longest delay, in milliseconds
   * @param failures failed attempts so far
   * @param random from 0 (inclusive) to 1 (exclusive)
   * @return a random delay between half and all of {@code initial}, doubled with each failure and
   *     limited to {@code maximum}; at least 1
   */
  static long delay(long initial, long maximum, int failures, DoubleSupplier random) {
    double doubled = initial * Math.pow(2, Math.min(failures, 62));
    double bounded = Math.min(doubled, maximum);
    return Math.max(1, Math.round(bounded * (0.5 + random.getAsDouble() / 2)));
  }
}
