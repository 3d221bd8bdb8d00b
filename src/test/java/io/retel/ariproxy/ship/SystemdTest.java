// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.AriProxy;
import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The systemd unit, checked without a running systemd. */
class SystemdTest {

  private static final Path UNIT = Path.of("packaging", "systemd", "ari-proxy.service");
  private static final Path ENVIRONMENT = UNIT.resolveSibling("ari-proxy.env");

  /** On a scale of 0 to 10; systemd rates values up to 2 as OK. */
  private static final int MAX_EXPOSURE = 2;

  /** Of systemd, before it starts the program: it cannot read the file of a credential. */
  private static final int EXIT_CREDENTIALS = 243;

  @TempDir private Path folder;
  private Path unit;

  /** Copies the unit, with the path of the start script in the project. */
  @BeforeEach
  void install() throws IOException {
    unit = folder.resolve("ari-proxy.service");
    Files.writeString(
        unit,
        Files.readString(UNIT)
            .replace(
                "/opt/ari-proxy/bin",
                // as systemd escapes a space
                Path.of("packaging", "bin").toAbsolutePath().toString().replace(" ", "\\x20")));
  }

  @Test
  void systemdAcceptsEveryLine() {
    Tool.Result result = Tool.SYSTEMD_ANALYZE.run("verify", unit.toString());
    assertThat(result.output()).isEmpty();
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void systemdReportsUnknownLine() throws IOException {
    Files.writeString(
        unit, Files.readString(unit).replace("NoNewPrivileges=yes", "NoPrivileges=yes"));
    assertThat(Tool.SYSTEMD_ANALYZE.run("verify", unit.toString()).output())
        .contains("NoPrivileges");
  }

  @Test
  void securityExposureIsLow() {
    Tool.Result result =
        Tool.SYSTEMD_ANALYZE.run(
            "security",
            "--offline=true",
            "--threshold=" + MAX_EXPOSURE * 10,
            "--no-pager",
            unit.toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void permanentFailuresPreventRestart() throws IOException {
    assertThat(Files.readAllLines(UNIT))
        .contains(
            "RestartPreventExitStatus="
                + AriProxy.EXIT_REPLACED
                + " "
                + AriProxy.EXIT_INVALID_SETTING
                + " "
                + EXIT_CREDENTIALS,
            "SuccessExitStatus=143");
    assertThat(Tool.SYSTEMD_ANALYZE.run("exit-status", Integer.toString(EXIT_CREDENTIALS)).output())
        .contains("CREDENTIALS");
  }

  /** Each file that systemd reads before it starts the proxy; otherwise it tries once a second. */
  @Test
  void missingFileEndsTheStart() throws IOException {
    List<String> lines = Files.readAllLines(UNIT);
    String environment = valuesOf("EnvironmentFile", lines).findFirst().orElseThrow();
    assertThat(lines).contains("AssertPathExists=" + environment);
    assertThat(valuesOf("LoadCredential", lines)).isNotEmpty();
  }

  @Test
  void stopTimeoutCoversShutdownTimeout() throws IOException {
    assertThat(valueOf("TimeoutStopSec", Files.readAllLines(UNIT)))
        .isGreaterThanOrEqualTo(ShutdownTimes.maxDuration().toSeconds());
  }

  @Test
  void exampleEnvironmentSetsRequiredWithoutSecrets() throws IOException {
    List<String> names =
        Files.readAllLines(ENVIRONMENT).stream()
            .map(line -> line.startsWith("#CALLCONTEXT") ? line.substring(1) : line)
            .filter(line -> line.matches("[A-Z_]+=.*"))
            .map(line -> line.substring(0, line.indexOf('=')))
            .filter(name -> !name.equals("JAVA_OPTS"))
            .toList();
    EnvironmentVariables.assertAllAreSettings(names);
    assertThat(names).noneMatch(name -> name.contains("PASSWORD"));
    EnvironmentVariables.assertContainsRequired(
        names, Files.readString(UNIT).contains("Environment=ARI_PASSWORD_FILE="));
  }

  private static long valueOf(String name, List<String> lines) {
    return Long.parseLong(valuesOf(name, lines).findFirst().orElseThrow());
  }

  private static Stream<String> valuesOf(String name, List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith(name + "="))
        .map(line -> line.substring(name.length() + 1));
  }
}
