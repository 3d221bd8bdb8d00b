// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.timer;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A task that can block, on its own thread, which exists while it runs and a minute longer. It runs
 * once at a time. Thread-safe.
 */
public final class BackgroundTask {

  private static final Logger LOG = LoggerFactory.getLogger(BackgroundTask.class);

  private final CamelContext context;
  private final String name;
  private final ExecutorService threads;
  private final Runnable task;
  private final AtomicBoolean running = new AtomicBoolean();
  private final AtomicBoolean startFailed = new AtomicBoolean();

  /**
   * @param name the name of its thread
   * @param task its first error is logged
   */
  public BackgroundTask(CamelContext context, String name, Runnable task) {
    this(
        context,
        name,
        context.getExecutorServiceManager().newCachedThreadPool(BackgroundTask.class, name),
        task);
  }

  BackgroundTask(CamelContext context, String name, ExecutorService threads, Runnable task) {
    this.context = context;
    this.name = name;
    this.threads = threads;
    this.task = FatalErrors.continuing(task);
  }

  public boolean isRunning() {
    return running.get();
  }

  /**
   * Starts the task unless it runs. If no thread can start, it logs that once; the caller tries
   * again.
   */
  public void start() {
    if (!running.compareAndSet(false, true)) {
      return;
    }
    boolean started = false;
    try {
      threads.execute(this::run);
      started = true;
      startFailed.set(false);
    } catch (RejectedExecutionException e) {
      // stopped
    } catch (OutOfMemoryError e) {
      if (!FatalErrors.isThreadLimit(e)) {
        throw e;
      }
      if (startFailed.compareAndSet(false, true)) {
        LOG.warn(
            "Thread {} cannot start, retrying: {}; raise the limit of threads",
            name,
            ErrorMessages.singleLine(e));
      }
    } finally {
      if (!started) {
        running.set(false);
      }
    }
  }

  private void run() {
    try {
      task.run();
    } finally {
      running.set(false);
    }
  }

  /**
   * Waits for the end of the task, and interrupts it after a time.
   *
   * @param timeoutMs in milliseconds
   */
  public void stop(long timeoutMs) {
    context.getExecutorServiceManager().shutdownGraceful(threads, timeoutMs);
  }
}
