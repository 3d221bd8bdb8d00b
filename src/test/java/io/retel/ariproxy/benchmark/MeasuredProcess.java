// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process under measurement, with its own Asterisk. */
final class MeasuredProcess implements AutoCloseable {

  private static final List<String> BASE_JVM_OPTIONS = List.of("-Xms1g", "-Xmx1g");
  private static final String EXTRA_JVM_OPTIONS = System.getProperty("benchmark.jvm", "");

  private final String name;
  private final StubAsterisk asterisk;
  private final Process process;

  /** next call and command numbers, each used once */
  private long nextCall;

  private long nextCommand;

  private MeasuredProcess(
      String name, StubAsterisk asterisk, List<String> command, Map<String, String> environment) {
    this.name = name;
    this.asterisk = asterisk;
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(Path.of("target", "benchmark-" + name + ".log").toFile());
    builder.environment().putAll(environment);
    try {
      this.process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> java(List<String> jvmOptions, List<String> program) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(BASE_JVM_OPTIONS);
    command.addAll(jvmOptions);
    if (!EXTRA_JVM_OPTIONS.isBlank()) {
      command.addAll(List.of(EXTRA_JVM_OPTIONS.split(" ")));
    }
    command.addAll(program);
    return command;
  }

  /** Starts the baseline. */
  static MeasuredProcess baseline(StubAsterisk asterisk, Map<String, String> environment) {
    return new MeasuredProcess(
        "baseline",
        asterisk,
        java(
            List.of(),
            List.of(
                "-Dlogback.configurationFile=src/main/resources/logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                BaselineProxy.class.getName())),
        environment);
  }

  /**
   * Starts the proxy as shipped.
   *
   * @param jvmOptions additional JVM options
   */
  static MeasuredProcess proxy(
      String name, StubAsterisk asterisk, Map<String, String> environment, String... jvmOptions) {
    return new MeasuredProcess(
        name,
        asterisk,
        java(
            List.of(jvmOptions),
            List.of("-XX:+ExitOnOutOfMemoryError", "-jar", "target/ari-proxy.jar")),
        environment);
  }

  /** Starts {@code bin/ari-proxy} of the tar.gz of this build, with its own options only. */
  static MeasuredProcess shipped(
      String name, StubAsterisk asterisk, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory(Path.of("target"), "benchmark-").toAbsolutePath();
    try (DirectoryStream<Path> archives =
        Files.newDirectoryStream(Path.of("target"), "ari-proxy-*.tar.gz")) {
      String archive = archives.iterator().next().toString();
      new ProcessBuilder("tar", "-xzf", archive, "-C", folder.toString(), "--strip-components=1")
          .inheritIO()
          .start()
          .waitFor();
    }
    Map<String, String> variables = new HashMap<>(environment);
    variables.put("JAVA_HOME", System.getProperty("java.home"));
    variables.put("JAVA_OPTS", EXTRA_JVM_OPTIONS);
    return new MeasuredProcess(
        name, asterisk, List.of(folder.resolve("bin/ari-proxy").toString()), variables);
  }

  static String eventsTopic(String name) {
    return "events-" + name;
  }

  static String commandsTopic(String name) {
    return "commands-" + name;
  }

  String name() {
    return name;
  }

  String eventsTopic() {
    return eventsTopic(name);
  }

  String commandsTopic() {
    return commandsTopic(name);
  }

  StubAsterisk asterisk() {
    return asterisk;
  }

  /** Reserves numbers for {@code count} calls and returns the first. */
  long reserveCalls(long count) {
    long first = nextCall;
    nextCall += count;
    return first;
  }

  /** Reserves numbers for {@code count} commands and returns the first. */
  long reserveCommands(long count) {
    long first = nextCommand;
    nextCommand += count;
    return first;
  }

  /** Returns the user and system CPU time of the process so far. */
  Duration cpuTime() {
    return process.info().totalCpuDuration().orElseThrow();
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    asterisk.close();
  }
}
