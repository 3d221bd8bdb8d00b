// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a connection's state changes on one thread.
 *
 * <p>An exception is logged and does not cancel a periodic task: a reconnect task that ended
 * silently would never run again.
 */
final class ConnectionScheduler {

  private static final Logger LOG = LoggerFactory.getLogger(ConnectionScheduler.class);

  private final ScheduledExecutorService executor;
  private final String address;

  /**
   * @param executor single-threaded
   * @param address of the connection, for the log
   */
  ConnectionScheduler(ScheduledExecutorService executor, String address) {
    this.executor = executor;
    this.address = address;
  }

  Future<?> submit(Runnable task) {
    return executor.submit(guarded(task));
  }

  Future<?> schedule(long delayMs, Runnable task) {
    return executor.schedule(guarded(task), delayMs, TimeUnit.MILLISECONDS);
  }

  Future<?> scheduleWithFixedDelay(long intervalMs, Runnable task) {
    return executor.scheduleWithFixedDelay(
        guarded(task), intervalMs, intervalMs, TimeUnit.MILLISECONDS);
  }

  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (Throwable e) {
        LOG.error("Internal error of websocket {}; continuing", address, e);
      }
    };
  }
}
