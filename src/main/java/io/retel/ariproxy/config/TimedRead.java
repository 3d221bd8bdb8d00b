// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads files on a thread of its own, which is abandoned while the read hangs: of a pipe that has
 * replaced a regular file after its check, or of a server that does not respond. Thread-safe.
 */
final class TimedRead {

  static final Duration TIMEOUT = Duration.ofSeconds(10);

  /** The number of threads that can hang. */
  static final int MAX_READS = 8;

  private static final Semaphore PERMITS = new Semaphore(MAX_READS);

  private TimedRead() {}

  /**
   * Returns the result of a read, and throws its exceptions.
   *
   * @throws UnsuitableFileException if it takes longer, or too many others hang
   */
  static <T> T get(Callable<T> read, Duration timeout) throws IOException {
    if (!PERMITS.tryAcquire()) {
      throw new UnsuitableFileException("is not read: " + MAX_READS + " reads of files hang");
    }
    FutureTask<T> task =
        new FutureTask<>(
            () -> {
              try {
                return read.call();
              } finally {
                PERMITS.release();
              }
            });
    Thread thread = new Thread(task, "file-read");
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (Error e) {
      PERMITS.release();
      throw e;
    }
    try {
      return task.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new UnsuitableFileException("is not read within " + timeout.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a file is read");
    } catch (ExecutionException e) {
      return rethrow(e.getCause());
    }
  }

  private static <T> T rethrow(@Nullable Throwable cause) throws IOException {
    if (cause instanceof RuntimeException e) {
      throw e;
    }
    if (cause instanceof Error e) {
      throw e;
    }
    throw cause instanceof IOException e ? e : new IOException(cause);
  }
}
