// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Workers of a queue, started on demand: one waits while others work, up to a maximum.
 *
 * <p>A worker that has found work starts another one, if none waits, before it does the work. One
 * that has waited in vain ends if another one waits. If a thread cannot be started, the others
 * continue, and the next one that finds work tries again. Thread-safe.
 */
final class LaneWorkers {

  /** What each worker repeats. */
  interface Task {

    /**
     * Waits for work and does it, between {@link #beginWork} and {@link #endWork}.
     *
     * @param workers those that run this task
     * @return false if it has waited for long in vain
     */
    boolean run(LaneWorkers workers) throws InterruptedException;
  }

  private static final Logger LOG = LoggerFactory.getLogger(LaneWorkers.class);

  /** In the message of the OutOfMemoryError of a limit other than the heap. */
  private static final String THREAD_LIMIT = "native thread";

  private final String name;
  private final Executor threads;
  private final int maximum;
  private final Task task;

  /** Workers that have been started and have not ended. */
  private int workers;

  /** Those that wait for work, or will. */
  private int waiting;

  private boolean stopped;
  private boolean failed;
  private volatile boolean startFailed;

  /**
   * @param name the workers' name, for the log
   * @param threads runs each worker on its own thread; does not limit their number
   * @param maximum number of workers
   * @param task what each worker repeats
   */
  LaneWorkers(String name, Executor threads, int maximum, Task task) {
    this.name = name;
    this.threads = threads;
    this.maximum = maximum;
    this.task = task;
  }

  String name() {
    return name;
  }

  /** Starts the first worker; throws if it cannot start. */
  synchronized void start() {
    startWorker();
  }

  /** Ends each worker after its work. The caller interrupts those that wait. */
  synchronized void stop() {
    stopped = true;
  }

  /** Whether a worker has ended with an error, and its work has not. */
  synchronized boolean hasFailed() {
    return failed;
  }

  /** Called by a worker that has found work. */
  synchronized void beginWork() {
    waiting--;
    ensureWaiting();
  }

  /** Called by a worker whose work has ended. */
  synchronized void endWork() {
    waiting++;
  }

  /** Tries again to start a worker if that has failed; called when there is more work. */
  void retryFailedStart() {
    if (startFailed) {
      synchronized (this) {
        ensureWaiting();
      }
    }
  }

  private void work() {
    boolean surplus = false;
    boolean interrupted = false;
    try {
      while (!surplus && !isStopped()) {
        surplus = !task.run(this) && endSurplus();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      Thread.currentThread().interrupt();
    } finally {
      if (!surplus) {
        replace(!interrupted);
      }
    }
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  /** Removes a waiting worker if another one waits. */
  private synchronized boolean endSurplus() {
    if (waiting < 2) {
      return false;
    }
    workers--;
    waiting--;
    return true;
  }

  /**
   * Removes a worker that has ended, and starts another one unless this is a stop.
   *
   * @param failure whether an error has ended it, and not an interruption while it waited
   */
  private synchronized void replace(boolean failure) {
    workers--;
    waiting--;
    if (!stopped) {
      failed |= failure;
      ensureWaiting();
    }
  }

  private void ensureWaiting() {
    if (waiting > 0 || workers >= maximum || stopped) {
      return;
    }
    try {
      startWorker();
      startFailed = false;
    } catch (RejectedExecutionException e) {
      // the threads are shut down
    } catch (OutOfMemoryError e) {
      if (e.getMessage() == null || !e.getMessage().contains(THREAD_LIMIT)) {
        throw e;
      }
      if (!startFailed) {
        startFailed = true;
        LOG.warn(
            "Thread {} cannot start: {}; messages wait for the other {}. Raise the limit of threads",
            name,
            e.getMessage(),
            workers);
      }
    }
  }

  private void startWorker() {
    threads.execute(this::work);
    workers++;
    waiting++;
  }
}
