// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.HttpReceiver;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The option {@code --health}; {@code DistributionIT} runs it against a proxy. */
class HealthCommandTest {

  @AutoClose private final HttpReceiver program = HttpReceiver.start();

  /** Another program can listen at the port. */
  @Test
  void escapesResponse(@TempDir Path folder) {
    program.answer(503, "{\"\u009b2J\u202e\u001b\r\n\": \"ü\"}");
    String port = Integer.toString(URI.create(program.url("/")).getPort());

    HealthCommand.Result result =
        HealthCommand.run(
            Settings.read(
                folder.resolve("application.properties"),
                Map.of(
                    "ARI_APP", "app",
                    "ARI_USERNAME", "user",
                    "ARI_PASSWORD", "secret",
                    "KAFKA_COMMANDS_TOPIC", "commands",
                    "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
                    "MANAGEMENT_PORT", port)));

    assertThat(result.alive()).isFalse();
    assertThat(result.message()).isEqualTo("{\"\\u009b2J\\u202e\\u001b\n\": \"ü\"}");
  }
}
