// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.util.Timeout;
import io.netty.util.Timer;
import io.netty.util.TimerTask;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The timeouts of a websocket's HTTP client, which end with the upgrade, on a thread that exists
 * anyway: that of Netty's timer wakes ten times a second. Thread-safe.
 */
final class ClientTimer implements Timer {

  private static final Logger LOG = LoggerFactory.getLogger(ClientTimer.class);

  private final ScheduledExecutorService executor;

  /**
   * @param executor belongs to the caller
   */
  ClientTimer(ScheduledExecutorService executor) {
    this.executor = executor;
  }

  @Override
  public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
    ScheduledTimeout timeout = new ScheduledTimeout(task);
    timeout.future = executor.schedule(timeout::expire, delay, unit);
    return timeout;
  }

  /** Does nothing: the timeouts of a client that is closed expire without effect. */
  @Override
  public Set<Timeout> stop() {
    return Set.of();
  }

  private final class ScheduledTimeout implements Timeout {

    private final TimerTask task;

    /** Null for a moment after it is scheduled. */
    private volatile @Nullable Future<?> future;

    private volatile boolean expired;

    private ScheduledTimeout(TimerTask task) {
      this.task = task;
    }

    private void expire() {
      expired = true;
      try {
        task.run(this);
      } catch (Exception e) {
        LOG.warn("A timeout of a websocket's HTTP client failed", e);
      }
    }

    @Override
    public Timer timer() {
      return ClientTimer.this;
    }

    @Override
    public TimerTask task() {
      return task;
    }

    @Override
    public boolean isExpired() {
      return expired;
    }

    @Override
    public boolean isCancelled() {
      Future<?> current = future;
      return current != null && current.isCancelled();
    }

    @Override
    public boolean cancel() {
      Future<?> current = future;
      return current != null && current.cancel(false);
    }
  }
}
