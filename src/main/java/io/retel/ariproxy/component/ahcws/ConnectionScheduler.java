package io.retel.ariproxy.component.ahcws;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs what changes a connection's state, on one thread. A task that throws is told of and ends
 * nothing: a schedule that ended silently would be a connection that is never opened again.
 */
final class ConnectionScheduler {

  private static final Logger LOG = LoggerFactory.getLogger(ConnectionScheduler.class);

  private final ScheduledExecutorService executor;
  private final String address;

  /**
   * @param executor has one thread
   * @param address the connection's, for the log
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
      } catch (RuntimeException e) {
        LOG.error("The websocket {} has an internal error; it goes on", address, e);
      }
    };
  }
}
