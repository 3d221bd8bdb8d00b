// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.DrainTimeouts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Command durations that follow from the settings. */
class CommandTimeoutsTest {

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void setRequiredSettings() {
    set(Setting.ARI_APP, "app");
    set(Setting.ARI_USERNAME, "user");
    set(Setting.ARI_PASSWORD, "secret");
    set(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, "events");
    set(Setting.KAFKA_COMMANDS_TOPIC, "commands");
  }

  @Test
  void runningDrainCoversMaxCommandDuration() {
    set(Setting.ARI_RESPONSE_TIMEOUT, "60000ms");
    set(Setting.ARI_CONNECT_TIMEOUT, "3000ms");
    set(Setting.CALLCONTEXT_STORE_TIMEOUT, "5000ms");
    Duration running = timeouts().drainTimeouts().running();
    assertThat(running).isGreaterThan(Duration.ofMillis(60_000 + 4 * 2 * 3_000 + 1_400 + 5_000));
    set(Setting.SHUTDOWN_TIMEOUT, "1s");
    assertThat(timeouts().drainTimeouts())
        .isEqualTo(new DrainTimeouts(running, Duration.ofMillis(500)));
  }

  @Test
  void maxDurationFollowsRetries() {
    set(Setting.ARI_CONNECT_TIMEOUT, "3s");
    Duration withDefaults = timeouts().maxDuration();
    set(Setting.COMMANDS_MAX_RETRIES, "5");
    set(Setting.COMMANDS_RETRY_DELAY, "1s");
    // 1 + 2 + 4 + 8 + 16 s instead of 0.2 + 0.4 + 0.8 s, and two more connects with pings
    assertThat(timeouts().maxDuration())
        .isEqualTo(withDefaults.plusMillis(31_000 - 1_400).plusSeconds(2 * 2 * 3));
  }

  @Test
  void defaultsCauseNoWarning() {
    assertThat(timeouts().shutdownWarning()).isEmpty();
    set(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic");
    assertThat(timeouts().shutdownWarning()).isEmpty();
  }

  @Test
  void shortShutdownTimeoutCausesWarning() {
    set(Setting.ARI_RESPONSE_TIMEOUT, "20500ms");
    assertThat(timeouts().shutdownWarning()).isEmpty();
    set(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic");
    assertThat(timeouts().shutdownWarning().orElseThrow())
        .contains("15000 ms", "ari.response-timeout is 20500 ms")
        .endsWith("Set ari-proxy.shutdown-timeout to 41s or more");
    set(Setting.SHUTDOWN_TIMEOUT, "41s");
    assertThat(timeouts().shutdownWarning()).isEmpty();
  }

  private CommandTimeouts timeouts() {
    return new CommandTimeouts(Settings.read(Path.of("none"), environment));
  }

  private void set(Setting<?> setting, String value) {
    environment.put(setting.environmentVariable(), value);
  }
}
