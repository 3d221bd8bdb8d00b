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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Exit codes of a process in which an error occurs, with the shipped log configuration. */
class FatalErrorsIT {

  @TempDir private Path folder;

  /** The process. Its arguments are where the error occurs, and which one it is. */
  public static final class Main {

    private Main() {}

    public static void main(String[] arguments) throws InterruptedException {
      FatalErrors.install();
      Error error =
          arguments[1].equals("OutOfMemoryError")
              ? new OutOfMemoryError("test")
              : new StackOverflowError("test");
      switch (arguments[0]) {
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
        default -> throw new IllegalArgumentException(arguments[0]);
      }
      System.exit(0);
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
  @CsvSource({
    "thread, OutOfMemoryError, 3",
    "log, OutOfMemoryError, 3",
    "cause, OutOfMemoryError, 3",
    "task, OutOfMemoryError, 3",
    "thread, StackOverflowError, 0",
    "log, StackOverflowError, 0",
    "cause, StackOverflowError, 0",
    "task, StackOverflowError, 0",
    "cycle, StackOverflowError, 0",
  })
  void onlyOutOfMemoryEndsProcess(String place, String error, int exitCode) throws Exception {
    Path log = folder.resolve("log");
    Process process = builder(place, error).redirectOutput(log.toFile()).start();

    assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();

    String output = Files.readString(log);
    assertThat(process.exitValue()).as(output).isEqualTo(exitCode);
    if (exitCode == FatalErrors.EXIT_OUT_OF_MEMORY) {
      assertThat(output).containsOnlyOnce("Out of memory, exiting with code 3: test. If ");
      assertThat(output.lines()).last().asString().endsWith("the limit that the error names");
    } else if (place.equals("thread")) {
      assertThat(output).contains("ERROR FatalErrors", "Thread test-thread ended");
    }
  }

  @Test
  void outOfMemoryEndsProcessWhoseOutputIsNotRead() throws Exception {
    Process process = builder("full pipe", "OutOfMemoryError").start();
    try {
      assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
    } finally {
      process.destroyForcibly();
    }
  }

  private static ProcessBuilder builder(String place, String error) {
    return ChildProcess.builder(
            ChildProcess.javaCommand(
                "-Dlogback.configurationFile=src/main/resources/logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                place,
                error))
        .redirectErrorStream(true);
  }
}
