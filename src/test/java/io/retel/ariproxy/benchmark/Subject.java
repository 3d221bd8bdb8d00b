package io.retel.ariproxy.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A process that is measured, with the Asterisk that is its own. */
final class Subject implements AutoCloseable {

  private static final List<String> JVM = List.of("-Xms1g", "-Xmx1g");

  private final String name;
  private final BusyAsterisk asterisk;
  private final Process process;

  /** The number of the next call, and of the next command; none is used twice. */
  private long nextCall;

  private long nextCommand;

  private Subject(
      String name,
      BusyAsterisk asterisk,
      List<String> jvm,
      List<String> program,
      Map<String, String> environment) {
    this.name = name;
    this.asterisk = asterisk;
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(JVM);
    command.addAll(jvm);
    String more = System.getProperty("benchmark.jvm", "");
    if (!more.isBlank()) {
      command.addAll(List.of(more.split(" ")));
    }
    command.addAll(program);
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

  /** The bare loop. */
  static Subject bare(BusyAsterisk asterisk, Map<String, String> environment) {
    return new Subject(
        "bare",
        asterisk,
        List.of(),
        List.of(
            "-Dlogback.configurationFile=src/main/resources/logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            BareLoop.class.getName()),
        environment);
  }

  /**
   * The proxy as it is shipped.
   *
   * @param jvm more options of Java's
   */
  static Subject proxy(
      String name, BusyAsterisk asterisk, Map<String, String> environment, String... jvm) {
    return new Subject(
        name,
        asterisk,
        List.of(jvm),
        List.of("-XX:+ExitOnOutOfMemoryError", "-jar", "target/ari-proxy.jar"),
        environment);
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

  BusyAsterisk asterisk() {
    return asterisk;
  }

  /** Takes the numbers of that many calls; returns the first. */
  long takeCalls(long count) {
    long first = nextCall;
    nextCall += count;
    return first;
  }

  /** Takes the numbers of that many commands; returns the first. */
  long takeCommands(long count) {
    long first = nextCommand;
    nextCommand += count;
    return first;
  }

  /** The time, user's and system's, that all of its threads have computed for so far. */
  Duration cpu() {
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
