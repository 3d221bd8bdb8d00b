package io.retel.ariproxy.ship;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A program of Debian's that checks what is shipped. */
enum Tool {
  PROMETHEUS("/usr/bin/prometheus", "prometheus"),
  PROMTOOL("/usr/bin/promtool", "prometheus"),
  SYSTEMD_ANALYZE("/usr/bin/systemd-analyze", "systemd");

  private static final String REQUIRE_TOOLS = "REQUIRE_TOOLS";

  private final Path program;
  private final String debianPackage;

  Tool(String program, String debianPackage) {
    this.program = Path.of(program);
    this.debianPackage = debianPackage;
  }

  /** Where it is; skips the test where it is not installed, unless all are required. */
  Path program() {
    boolean installed = Files.isExecutable(program);
    String howToInstall = program + " is not there: apt-get install " + debianPackage;
    if (!installed && System.getenv(REQUIRE_TOOLS) != null) {
      throw new IllegalStateException(howToInstall);
    }
    assumeTrue(installed, howToInstall);
    return program;
  }

  /** Runs it to its end. */
  Result run(String... arguments) {
    List<String> command = new ArrayList<>(List.of(program().toString()));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), printed);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** How it ended, and all that it printed. */
  record Result(int exitCode, String printed) {}
}
