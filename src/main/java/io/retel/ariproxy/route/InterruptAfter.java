// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Interrupts the current thread if it has not closed this in time. */
final class InterruptAfter implements AutoCloseable {

  private final Thread thread = Thread.currentThread();
  private boolean closed;

  InterruptAfter(Duration limit) {
    CompletableFuture.delayedExecutor(limit.toNanos(), TimeUnit.NANOSECONDS)
        .execute(this::interrupt);
  }

  private synchronized void interrupt() {
    if (!closed) {
      thread.interrupt();
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
