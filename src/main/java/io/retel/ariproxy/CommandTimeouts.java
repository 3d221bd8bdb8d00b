package io.retel.ariproxy;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.DrainTimeouts;
import java.time.Duration;
import java.util.Optional;

/** How long a command can take, and for how long it is waited for. */
final class CommandTimeouts {

  /** How often Asterisk is tried to be reached: routes/failed-commands.camel.yaml. */
  static final int MAX_ATTEMPTS = 4;

  /** What lies between these tries. */
  static final Duration TOTAL_BACKOFF = Duration.ofMillis(200 + 400 + 800);

  /** For what has no bound of its own, such as Kafka's acknowledgement of the RESPONSE. */
  private static final Duration MARGIN = Duration.ofSeconds(2);

  private final Settings settings;

  CommandTimeouts(Settings settings) {
    this.settings = settings;
  }

  /** From the begin of a command to its RESPONSE. */
  Duration maxDuration() {
    return settings
        .get(Setting.CALLCONTEXT_STORE_TIMEOUT)
        .plus(settings.get(Setting.ARI_CONNECT_TIMEOUT).multipliedBy(MAX_ATTEMPTS))
        .plus(TOTAL_BACKOFF)
        .plus(settings.get(Setting.ARI_RESPONSE_TIMEOUT))
        .plus(MARGIN);
  }

  /**
   * How long what is begun is waited for before another proxy reads its partition. In a stop half
   * of the time is left for what comes after that.
   */
  DrainTimeouts drainTimeouts() {
    return new DrainTimeouts(maxDuration(), shutdownTimeout().dividedBy(2));
  }

  /** What to set so that a stop waits for Asterisk's answers, in a sentence. */
  Optional<String> shutdownWarning() {
    int consumerCount = settings.get(Setting.KAFKA_GENERIC_COMMANDS_TOPIC).isEmpty() ? 1 : 2;
    Duration available = shutdownTimeout().dividedBy(consumerCount);
    Duration required = settings.get(Setting.ARI_RESPONSE_TIMEOUT);
    if (required.compareTo(available) <= 0) {
      return Optional.empty();
    }
    return Optional.of(
        "A stop waits %d ms for commands that are under way, ari.response-timeout is %d ms: what takes longer may be carried out once more by whoever reads it next. Set ari-proxy.shutdown-timeout to %ds or more"
            .formatted(
                available.toMillis(),
                required.toMillis(),
                required.multipliedBy(consumerCount).plusMillis(999).toSeconds()));
  }

  private Duration shutdownTimeout() {
    return settings.get(Setting.SHUTDOWN_TIMEOUT);
  }
}
