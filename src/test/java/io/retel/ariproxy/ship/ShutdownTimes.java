package io.retel.ariproxy.ship;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Units;
import java.time.Duration;

/** How long a stop may take before who runs the proxy may kill it. */
final class ShutdownTimes {

  /** For what is done beside waiting: leaving Kafka's groups, closing connections. */
  private static final Duration OVERHEAD = Duration.ofSeconds(5);

  private ShutdownTimes() {}

  /** With the settings' defaults. */
  static Duration maxDuration() {
    return Units.duration(Setting.SHUTDOWN_TIMEOUT.defaultText())
        .plus(Units.duration(Setting.CALLCONTEXT_STORE_TIMEOUT.defaultText()))
        .plus(OVERHEAD);
  }
}
