// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Errors that end a thread or the process. After an {@link OutOfMemoryError} any thread can have
 * ended anywhere, so the process exits for a restart.
 *
 * <p>The JVM option {@code ExitOnOutOfMemoryError} of {@code bin/ari-proxy} does the same, also for
 * an error that a library catches; a jar cannot set it. Thread-safe.
 */
public final class FatalErrors {

  /** Exit code after an OutOfMemoryError, as of {@code ExitOnOutOfMemoryError}. */
  public static final int EXIT_OUT_OF_MEMORY = 3;

  private static final Logger LOG = LoggerFactory.getLogger(FatalErrors.class);

  /** Causes to search, since a chain of causes can have a cycle. */
  private static final int MAX_CAUSES = 20;

  private static final FileOutputStream STDOUT = new FileOutputStream(FileDescriptor.out);

  /** Time to write the line: nobody may read the pipe that it is written to. */
  private static final long EXIT_TIMEOUT_MILLIS = 1_000;

  private static final byte[] PREFIX = ascii("Out of memory, exiting with code 3: ");

  private static final byte[] ADVICE =
      ascii(
          """
          . If that is the heap, increase it (-Xmx), or lower kafka.max-in-flight-bytes, \
          ari.buffer-size, ari.response-buffer-size and commands.dedup-cache-size; if it fills at a connect, check that the \
          server uses the configured protocol (kafka.security-protocol). If not, increase the \
          limit that the error names
          """);

  private static final int MAX_MESSAGE_LENGTH = 200;

  /** Allocated now, since nothing can be allocated then. */
  private static final byte[] LINE = new byte[PREFIX.length + MAX_MESSAGE_LENGTH + ADVICE.length];

  private static final CountDownLatch EXITING = new CountDownLatch(1);

  private static volatile boolean installed;

  private FatalErrors() {}

  /** Logs the error of each thread that ends, and exits after an OutOfMemoryError. */
  public static void install() {
    Thread exitTimer = new Thread(FatalErrors::exitAfterTimeout, "out-of-memory-exit");
    exitTimer.setDaemon(true);
    exitTimer.start();
    installed = true;
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, error) -> {
          exitIfOutOfMemory(error);
          LOG.error("Thread {} ended", thread.getName(), error);
        });
  }

  /**
   * Ends the process without a shutdown if an OutOfMemoryError is the error or one of its causes;
   * does nothing before {@link #install}.
   */
  public static void exitIfOutOfMemory(@Nullable Throwable error) {
    Throwable cause = error;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
      if (cause instanceof OutOfMemoryError && installed) {
        EXITING.countDown();
        exit(cause.getMessage());
      }
      cause = cause.getCause();
    }
  }

  /** Whether the error means that no further thread can start, and heap remains. */
  public static boolean isThreadLimit(OutOfMemoryError error) {
    return error.getMessage() != null && error.getMessage().contains("native thread");
  }

  /** Synchronized, since many threads fail at once, and one line is enough. */
  private static synchronized void exit(@Nullable String message) {
    try {
      STDOUT.write(LINE, 0, fillLine(message == null ? "OutOfMemoryError" : message));
    } catch (IOException e) {
      // exits without the line
    } finally {
      Runtime.getRuntime().halt(EXIT_OUT_OF_MEMORY);
    }
  }

  /** Returns the length of the line. Allocates nothing. */
  private static int fillLine(String message) {
    int length = PREFIX.length;
    System.arraycopy(PREFIX, 0, LINE, 0, length);
    for (int i = 0; i < Math.min(message.length(), MAX_MESSAGE_LENGTH); i++) {
      char character = message.charAt(i);
      LINE[length] = (byte) (character >= ' ' && character <= '~' ? character : '?');
      length++;
    }
    System.arraycopy(ADVICE, 0, LINE, length, ADVICE.length);
    return length + ADVICE.length;
  }

  private static void exitAfterTimeout() {
    try {
      EXITING.await();
      Thread.sleep(EXIT_TIMEOUT_MILLIS);
    } catch (InterruptedException e) {
      // by nobody
    }
    Runtime.getRuntime().halt(EXIT_OUT_OF_MEMORY);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Returns a task that logs its first error and never throws, since a timer would end it then. */
  public static Runnable continuing(Runnable periodicTask) {
    AtomicBoolean logged = new AtomicBoolean();
    return () -> {
      try {
        periodicTask.run();
      } catch (Throwable e) {
        exitIfOutOfMemory(e);
        if (logged.compareAndSet(false, true)) {
          LOG.error("Periodic task of {} failed; continuing", Thread.currentThread().getName(), e);
        }
      }
    };
  }
}
