// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.HttpReceiver;
import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The health check of the image; {@code DistributionIT} runs it against a proxy. */
class HealthScriptTest {

  private static final Path SCRIPT = Path.of("packaging", "bin", "health");

  @TempDir private Path folder;
  @AutoClose private final HttpReceiver proxy = HttpReceiver.start();
  private String port;
  private Path script;

  @BeforeEach
  void install() throws IOException {
    Tool.BASH.path();
    port = Integer.toString(URI.create(proxy.url("/")).getPort());
    script = Files.createDirectory(folder.resolve("bin")).resolve("health");
    Files.copy(SCRIPT, script);
    Files.createDirectory(folder.resolve("config"));
    proxy.answer(200, "{\"status\": \"UP\"}");
  }

  @Test
  void imageStartsNoJvmForIt() throws IOException {
    assertThat(Files.readAllLines(Path.of("docker", "Dockerfile")))
        .filteredOn(line -> line.startsWith("    CMD "))
        .containsExactly("    CMD [\"/opt/ari-proxy/bin/health\"]");
  }

  @Test
  void isAliveWithStatus200() {
    Distribution.Result result = run(Map.of("MANAGEMENT_PORT", port));
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output()).isEqualTo("{\"status\": \"UP\"}\n");
    assertThat(proxy.requests())
        .singleElement()
        .extracting(HttpReceiver.Request::method, HttpReceiver.Request::path)
        .containsExactly("GET", "/observe/health/live");
  }

  @Test
  void isNotAliveWithAnotherStatus() {
    proxy.answer(503, "{\"status\": \"DOWN\"}");
    Distribution.Result result = run(Map.of("MANAGEMENT_PORT", port));
    assertThat(result.exitCode()).isOne();
    assertThat(result.output()).isEqualTo("{\"status\": \"DOWN\"}\n");
  }

  /** Another program can listen at the port; C1 and bidirectional controls affect a terminal. */
  @Test
  void replacesAllButPrintableAscii() {
    proxy.answer(503, "{\"\u009b2J\u202e\u001b\r\": 1,\n \"b\": 2}");
    assertThat(run(Map.of("MANAGEMENT_PORT", port)).output())
        .isEqualTo("{\"??2J????\": 1,\n \"b\": 2}\n");
  }

  @Test
  void namesReasonWithoutResponse() {
    String closed = Integer.toString(FreePort.find());
    Distribution.Result result = run(Map.of("MANAGEMENT_PORT", closed));
    assertThat(result.exitCode()).isOne();
    assertThat(result.output())
        .isEqualTo(
            "http://127.0.0.1:%s/observe/health/live does not respond: Connection refused\n"
                .formatted(closed));
  }

  @Test
  void connectsToLoopbackInsteadOfWildcard() {
    assertThat(run(Map.of("MANAGEMENT_HOST", "0.0.0.0", "MANAGEMENT_PORT", port)).exitCode())
        .isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"management.port = %s", "  management.port: %s  ", "management.port=%s"})
  void readsSettingsFile(String line) throws IOException {
    Files.writeString(
        folder.resolve("config/application.properties"),
        "#management.port = 1\nmanagementXport = 2\n" + line.formatted(port) + "\n");
    assertThat(run(Map.of()).exitCode()).isZero();
    assertThat(run(Map.of("MANAGEMENT_PORT", Integer.toString(FreePort.find()))).exitCode())
        .as("the variable overrides the file")
        .isOne();
  }

  /** Only the proxy resolves a placeholder. */
  @Test
  void leavesPlaceholdersToTheProxy() throws IOException {
    Files.writeString(
        folder.resolve("config/application.properties"), "management.port = {{env:PORT}}\n");
    Path java = Files.writeString(folder.resolve("bin/ari-proxy"), "#!/bin/sh\necho \"java $*\"\n");
    assertThat(java.toFile().setExecutable(true)).isTrue();
    assertThat(run(Map.of()).output()).isEqualTo("java --health\n");
  }

  private Distribution.Result run(Map<String, String> environment) {
    return Distribution.runToExit(folder, environment, List.of(script.toString()));
  }
}
