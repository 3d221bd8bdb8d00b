// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.AriProxy;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Log output as JSON; {@code StartupIT} covers text. */
@ExtendWith(KafkaExtension.class)
class LogFormatIT {

  private static final String APP = "printed";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  @Test
  void printsEachLineAsJsonObject(KafkaBroker kafka) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : runAndReadLog(kafka)) {
      lines.add(JSON.readTree(line));
    }

    assertThat(lines).hasSizeGreaterThan(5).allMatch(line -> line.path("timestamp").isNumber());
    assertThat(lines)
        .filteredOn(line -> line.path("formattedMessage").asText().startsWith("403 for DELETE"))
        .singleElement()
        .satisfies(
            line -> {
              assertThat(line.path("level").asText()).isEqualTo("WARN");
              assertThat(line.path("mdc"))
                  .isEqualTo(
                      JSON.readTree(
                          "{\"callContext\":\"a cäll\\\\r\\\\n\\\\u001b\",\"commandId\":\"command-1\",\"resource\":\"CHANNEL:42.1\"}"));
            });
  }

  @Test
  void includesExceptionInJsonObject(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .withCamelProperty("camel.component.kafka.compression-codec", "unknown")
              .with(Setting.LOGGING_FORMAT, "json")
              .with(Setting.LOGGING_LEVEL, "DEBUG");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.EXIT_START_FAILED);
      }
    }
    List<JsonNode> linesWithStackTrace = new ArrayList<>();
    for (String line : readLines(log)) {
      JsonNode object = JSON.readTree(line);
      if (object.at("/throwable/stepArray").isArray()) {
        linesWithStackTrace.add(object);
      }
    }
    assertThat(linesWithStackTrace)
        .anyMatch(line -> line.path("formattedMessage").asText().equals("Startup failed"));
  }

  private List<String> runAndReadLog(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.COMMANDS_ALLOWED, "GET /**")
              .with(Setting.LOGGING_FORMAT, "json")
              // the log is UTF-8 regardless
              .withVariable("LC_ALL", "C");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller.execute("a cäll\r\n\u001b", "DELETE", "/channels/42.1");
        proxy.terminate();
      }
    }
    return readLines(log);
  }

  /**
   * Removes the warnings that Java 24 and newer print to standard error about its use by libraries.
   */
  private static List<String> readLines(Path log) throws IOException {
    return Files.readAllLines(log).stream().filter(line -> !line.startsWith("WARNING: ")).toList();
  }
}
