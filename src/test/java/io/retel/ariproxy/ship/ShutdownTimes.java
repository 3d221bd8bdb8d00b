// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Units;
import java.time.Duration;

/** Time that a supervisor must allow for shutdown before it kills the proxy. */
final class ShutdownTimes {

  /** Time for steps other than waiting: leaving Kafka's groups, closing connections. */
  private static final Duration OVERHEAD = Duration.ofSeconds(5);

  private ShutdownTimes() {}

  /** Returns the maximum duration with default settings. */
  static Duration maxDuration() {
    return Units.duration(Setting.SHUTDOWN_TIMEOUT.defaultText())
        .plus(Units.duration(Setting.CALLCONTEXT_STORE_TIMEOUT.defaultText()))
        .plus(OVERHEAD);
  }
}
