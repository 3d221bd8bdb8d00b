// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.command.CommandErrors;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.DrainTimeouts;
import io.retel.ariproxy.route.RetryPolicy;
import java.time.Duration;
import java.util.Optional;

/** Command durations that follow from the settings: maximum, drain and shutdown. */
public final class CommandTimeouts {

  /** For steps without a timeout, such as Kafka's acknowledgement of the RESPONSE. */
  private static final Duration MARGIN = Duration.ofSeconds(2);

  private final Settings settings;

  public CommandTimeouts(Settings settings) {
    this.settings = settings;
  }

  /** Returns the maximum time to connect, shake hands and ping on the new connection. */
  private Duration maxConnect() {
    boolean secure = settings.get(Setting.ARI_URL).getScheme().equals("https");
    return settings.get(Setting.ARI_CONNECT_TIMEOUT).multipliedBy(secure ? 3 : 2);
  }

  /** Returns the maximum duration of a request of the proxy itself. */
  Duration maxRequest() {
    // waits for a free connection first
    return settings
        .get(Setting.ARI_CONNECT_TIMEOUT)
        .plus(maxConnect())
        .plus(settings.get(Setting.ARI_RESPONSE_TIMEOUT));
  }

  /** Returns the maximum time from the start of a command to its RESPONSE. */
  Duration maxDuration() {
    RetryPolicy retries = CommandErrors.retries(settings);
    Duration connects = maxConnect().multipliedBy(retries.maxAttempts());
    return settings
        .get(Setting.CALLCONTEXT_STORE_TIMEOUT)
        .plus(connects)
        .plus(retries.totalDelay())
        .plus(settings.get(Setting.ARI_RESPONSE_TIMEOUT))
        .plus(MARGIN);
  }

  /**
   * Returns how long to wait for started commands before another proxy consumes their partition. On
   * shutdown this is half of the shutdown timeout; the other half is for the steps after it.
   */
  DrainTimeouts drainTimeouts() {
    return new DrainTimeouts(maxDuration(), shutdownTimeout().dividedBy(2));
  }

  /** Returns a warning if shutdown waits for less time than {@code ari.response-timeout}. */
  public Optional<String> shutdownWarning() {
    int consumerCount = settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC).isEmpty() ? 1 : 2;
    Duration available = shutdownTimeout().dividedBy(consumerCount);
    Duration required = settings.get(Setting.ARI_RESPONSE_TIMEOUT);
    if (required.compareTo(available) <= 0) {
      return Optional.empty();
    }
    return Optional.of(
        "Shutdown waits %d ms for commands in flight, but ari.response-timeout is %d ms: slower commands may be executed again by their next consumer. Set ari-proxy.shutdown-timeout to %ds or more"
            .formatted(
                available.toMillis(),
                required.toMillis(),
                required.multipliedBy(consumerCount).plusMillis(999).toSeconds()));
  }

  private Duration shutdownTimeout() {
    return settings.get(Setting.SHUTDOWN_TIMEOUT);
  }
}
