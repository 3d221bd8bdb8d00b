// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Interrupts the current thread if it has not closed this in time, repeatedly: Camel tries again to
 * create a bean that has failed.
 */
final class InterruptAfter implements AutoCloseable {

  /** For what a user adds; many times what it needs to load on a busy machine. */
  static final Duration MAX_START = Duration.ofSeconds(30);

  /** For a bean at an edit: the edits of other files wait. */
  static final Duration MAX_EDIT = Duration.ofSeconds(10);

  private static final Duration REPETITION = Duration.ofSeconds(1);

  private final Thread thread = Thread.currentThread();
  private boolean closed;

  InterruptAfter(Duration limit) {
    interruptAfter(limit);
  }

  private void interruptAfter(Duration delay) {
    CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS)
        .execute(this::interrupt);
  }

  private synchronized void interrupt() {
    if (!closed) {
      thread.interrupt();
      interruptAfter(REPETITION);
    }
  }

  /** The thread is not interrupted afterwards. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    Thread.interrupted();
  }
}
