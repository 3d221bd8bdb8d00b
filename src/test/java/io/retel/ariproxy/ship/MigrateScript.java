// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A run of {@code bin/migrate}. */
final class MigrateScript implements AutoCloseable {

  private final Process process;
  private final Path log;

  private MigrateScript(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * Starts it.
   *
   * @param folder for its output
   * @param environment in addition to this process's variables
   */
  static MigrateScript start(Path folder, Map<String, String> environment, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of("packaging", "bin", "migrate").toAbsolutePath().toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = ChildProcess.builder(command);
    builder.environment().putAll(environment);
    try {
      Path log = Files.createTempFile(folder, "migrate", ".log");
      return new MigrateScript(
          builder.redirectErrorStream(true).redirectOutput(log.toFile()).start(), log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String output() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for a text in its output, while it runs. */
  MigrateScript awaitOutput(String text) {
    Awaitility.await(text)
        .until(
            () -> {
              boolean running = process.isAlive();
              assertThat(running || output().contains(text)).as(output()).isTrue();
              return output().contains(text);
            });
    return this;
  }

  boolean isRunning() {
    return process.isAlive();
  }

  /** Interrupts it. */
  void terminate() {
    ChildProcess.signal(process.toHandle(), "TERM");
  }

  /** Waits for its exit code. */
  void assertExit(int code) {
    try {
      assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).as(output()).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    assertThat(process.exitValue()).as(output()).isEqualTo(code);
  }

  /** Waits for its exit code and a last line. */
  void assertExit(int code, String message) {
    assertExit(code);
    assertThat(output().lines().reduce("", (previous, line) -> line))
        .as(output())
        .startsWith(code == 0 ? "" : "migrate: ")
        .contains(message);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
