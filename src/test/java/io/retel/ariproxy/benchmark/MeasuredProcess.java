// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** A process under measurement, with its own Asterisk. */
final class MeasuredProcess implements AutoCloseable {

  /** Starts a process. */
  @FunctionalInterface
  interface Starter {
    MeasuredProcess start(String name, StubAsterisk asterisk, Map<String, String> environment)
        throws Exception;
  }

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
  static MeasuredProcess baseline(
      String name, StubAsterisk asterisk, Map<String, String> environment) {
    return new MeasuredProcess(
        name,
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

  /** Starts the minimal bridge, with its own JVM options. */
  static MeasuredProcess bridge(
      String name, StubAsterisk asterisk, Map<String, String> environment) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(BatchingBridge.JVM_OPTIONS);
    command.add("-Dlogback.configurationFile=src/main/resources/logback.xml");
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), BatchingBridge.class.getName()));
    return new MeasuredProcess(name, asterisk, command, environment);
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
    return shipped(unpack(), name, asterisk, environment);
  }

  /** Starts {@code bin/ari-proxy} of an unpacked tar.gz. */
  static MeasuredProcess shipped(
      Path folder, String name, StubAsterisk asterisk, Map<String, String> environment) {
    return shipped(folder, name, asterisk, environment, List.of());
  }

  /**
   * Starts {@code bin/ari-proxy} of an unpacked tar.gz.
   *
   * @param prefix a command that becomes the one that follows it
   */
  static MeasuredProcess shipped(
      Path folder,
      String name,
      StubAsterisk asterisk,
      Map<String, String> environment,
      List<String> prefix) {
    Map<String, String> variables = new HashMap<>(environment);
    variables.put("JAVA_HOME", System.getProperty("java.home"));
    variables.put("JAVA_OPTS", EXTRA_JVM_OPTIONS);
    variables.put("STATE_DIRECTORY", folder.resolve("state").toString());
    List<String> command = new ArrayList<>(prefix);
    command.add(folder.resolve("bin/ari-proxy").toString());
    return new MeasuredProcess(name, asterisk, command, variables);
  }

  /** Unpacks the tar.gz of this build to a new folder. */
  static Path unpack() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory(Path.of("target"), "benchmark-").toAbsolutePath();
    try (DirectoryStream<Path> archives =
        Files.newDirectoryStream(Path.of("target"), "ari-proxy-*.tar.gz")) {
      String archive = archives.iterator().next().toString();
      new ProcessBuilder("tar", "-xzf", archive, "-C", folder.toString(), "--strip-components=1")
          .inheritIO()
          .start()
          .waitFor();
    }
    // with the class archive, as of a service
    Files.createDirectory(
        folder.resolve("state"),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    return folder;
  }

  /** Creates the class archive in an unpacked tar.gz, as in the image. */
  static void archiveClasses(Path folder) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(folder.resolve("bin/ari-proxy").toString(), "--archive-classes");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.inheritIO().start().waitFor();
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

  /** Returns what the process uses of Java's code cache. */
  String codeCache() {
    try {
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(pid()),
                  "Compiler.codecache")
              .start();
      return new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
          .lines()
          .filter(line -> line.startsWith("CodeHeap") || line.startsWith("CodeCache"))
          .collect(Collectors.joining("; "));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the memory of the process in RAM, in MB. */
  long residentMegabytes() {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1_000)
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Waits for a condition, without a limit.
   *
   * @throws IllegalStateException if the process ends
   */
  void await(BooleanSupplier condition) {
    while (!condition.getAsBoolean()) {
      if (!isAlive()) {
        throw new IllegalStateException(name + " has ended; see target/benchmark-*.log");
      }
      LockSupport.parkNanos(20_000_000);
    }
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Its exit code, once it has ended. */
  int exitCode() {
    return process.exitValue();
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
