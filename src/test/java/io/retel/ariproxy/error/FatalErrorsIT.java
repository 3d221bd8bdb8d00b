// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Exit codes of a process in which an error occurs, with the shipped log configuration. */
class FatalErrorsIT {

  @TempDir private Path folder;

  /** The process. Its arguments are the error, and the places where it occurs. */
  public static final class Main {

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
      FatalErrors.install();
      Error error =
          arguments[0].equals("OutOfMemoryError")
              ? new OutOfMemoryError("test")
              : new StackOverflowError("test");
      for (int i = 1; i < arguments.length; i++) {
        occur(arguments[i], error);
      }
      System.exit(0);
    }

    private static void occur(String place, Error error) throws InterruptedException {
      switch (place) {
        case "thread" -> endThread(error);
        case "log" -> LoggerFactory.getLogger("org.example").warn("Caught by a library", error);
        case "cause" -> FatalErrors.exitIfOutOfMemory(new IllegalStateException(error));
        case "full pipe" -> {
          fillStdout();
          FatalErrors.exitIfOutOfMemory(error);
        }
        case "cycle" -> FatalErrors.exitIfOutOfMemory(cycle());
        case "task" ->
            FatalErrors.continuing(
                    () -> {
                      throw error;
                    })
                .run();
        default -> throw new IllegalArgumentException(place);
      }
    }

    /** Returns when a write to stdout blocks, since nobody reads it. */
    private static void fillStdout() throws InterruptedException {
      AtomicInteger written = new AtomicInteger();
      Thread thread =
          new Thread(
              () -> {
                try (FileOutputStream stdout = new FileOutputStream(FileDescriptor.out)) {
                  while (true) {
                    stdout.write('x');
                    written.incrementAndGet();
                  }
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      thread.setDaemon(true);
      thread.start();
      int before;
      do {
        before = written.get();
        Thread.sleep(500);
      } while (before == 0 || written.get() > before);
    }

    private static void endThread(Error error) throws InterruptedException {
      Thread thread =
          new Thread(
              () -> {
                throw error;
              },
              "test-thread");
      thread.start();
      thread.join();
    }

    private static Throwable cycle() {
      Exception first = new IllegalStateException("first");
      Exception second = new IllegalStateException("second", first);
      first.initCause(second);
      return second;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"thread", "log", "cause", "task"})
  void outOfMemoryEndsProcess(String place) throws Exception {
    String output = run(FatalErrors.EXIT_OUT_OF_MEMORY, "OutOfMemoryError", place);

    assertThat(output).containsOnlyOnce("Out of memory, exiting with code 3: test. If ");
    assertThat(output.lines()).last().asString().endsWith("the limit that the error names");
  }

  @Test
  void otherErrorsDoNotEndProcess() throws Exception {
    String output = run(0, "StackOverflowError", "log", "cause", "task", "cycle", "thread");

    assertThat(output.lines())
        .anyMatch(
            line ->
                line.contains("ERROR FatalErrors") && line.contains("Thread test-thread ended"));
  }

  /** Runs the process, which must exit with a given code, and returns its output. */
  private String run(int exitCode, String... arguments) throws Exception {
    Path log = folder.resolve("log");
    Process process = builder(arguments).redirectOutput(log.toFile()).start();

    assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();

    String output = Files.readString(log);
    assertThat(process.exitValue()).as(output).isEqualTo(exitCode);
    return output;
  }

  @Test
  void outOfMemoryEndsProcessWhoseOutputIsNotRead() throws Exception {
    Process process = builder("OutOfMemoryError", "full pipe").start();
    try {
      assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
    } finally {
      process.destroyForcibly();
    }
  }

  private static ProcessBuilder builder(String... arguments) {
    List<String> command =
        ChildProcess.javaCommand(
            "-Dlogback.configurationFile=src/main/resources/logback.xml",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName());
    command.addAll(List.of(arguments));
    return ChildProcess.builder(command).redirectErrorStream(true);
  }
}
