// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests custom route files that are older than the proxy. */
@ExtendWith(KafkaExtension.class)
class OutdatedRouteFilesIT {

  @Test
  void logsEachMissingPartInOneLine(KafkaBroker kafka, @TempDir Path folder, @TempDir Path logs)
      throws IOException {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    routes.edit(
        "events.camel.yaml",
        yaml ->
            removeLine(yaml, "    autoStartup: \"false\"\n    routePolicy: startupGatePolicy\n"));
    routes.edit(
        "commands.camel.yaml",
        yaml ->
            removeLine(yaml, "    autoStartup: \"false\"\n")
                .replace("pausePolicy", "startupGatePolicy"));
    routes.edit(
        "publish.camel.yaml",
        yaml -> {
          int start =
              yaml.indexOf("                - process:\n                    id: add-copies");
          return yaml.substring(0, start)
              + yaml.substring(yaml.indexOf("                - to:", start));
        });
    Path log = logs.resolve("log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        ProxyProcess proxy =
            ProxyProcess.start(
                ProxySettings.of(asterisk, "old", kafka)
                    .with(Setting.ROUTES_DIRECTORY, folder.toString()),
                log)) {
      Awaitility.await("three errors logged").until(() -> errorLines(log).size() == 3);
      assertThat(proxy.terminate()).as("exit code after SIGTERM").isEqualTo(143);
    }
    assertThat(errorLines(log))
        .allMatch(line -> line.endsWith("from the shipped file"))
        .anyMatch(line -> line.contains("Route events lacks routePolicy: startupGatePolicy"))
        .anyMatch(line -> line.contains("Route publish lacks the step add-copies"))
        .anyMatch(line -> line.contains("Route commands lacks routePolicy: pausePolicy"));
    assertThat(Files.readString(log))
        .containsPattern(
            "Edited route files: commands.camel.yaml \\(1 lines added, 2 removed\\),"
                + " events.camel.yaml \\(0 lines added, 2 removed\\), publish.camel.yaml");
  }

  private static String removeLine(String yaml, String line) {
    assertThat(yaml).contains(line);
    return yaml.replace(line, "");
  }

  private static List<String> errorLines(Path log) throws IOException {
    return Files.readAllLines(log).stream().filter(line -> line.contains(" ERROR ")).toList();
  }
}
