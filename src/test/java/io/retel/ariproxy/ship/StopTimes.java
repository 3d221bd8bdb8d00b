package io.retel.ariproxy.ship;

import io.retel.ariproxy.settings.Setting;
import java.time.Duration;

/** How long a stop may take before who runs the proxy may kill it. */
final class StopTimes {

  /** For what is done beside waiting: leaving Kafka's groups, closing connections. */
  private static final Duration THE_REST = Duration.ofSeconds(5);

  private StopTimes() {}

  /** With the settings' defaults. */
  static Duration longestStop() {
    return Duration.ofSeconds(Long.parseLong(Setting.SHUTDOWN_TIMEOUT.defaultValue()))
        .plusMillis(Long.parseLong(Setting.CALLCONTEXT_STORE_TIMEOUT.defaultValue()))
        .plus(THE_REST);
  }
}
