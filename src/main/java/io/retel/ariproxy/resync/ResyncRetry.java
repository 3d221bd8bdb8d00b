// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/** Retries a failed resync after a delay. */
public final class ResyncRetry {

  /**
   * Long enough to limit load on Asterisk, short enough that a new call does not wait long for its
   * StasisStart.
   */
  public static final Duration DELAY = Duration.ofSeconds(10);

  private final CamelContext context;
  private final Runnable requestResync;
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private @Nullable ScheduledExecutorService scheduler;

  /**
   * @param requestResync sends the events route another CONNECTED event, in order with the events
   */
  public ResyncRetry(CamelContext context, Runnable requestResync) {
    this.context = context;
    this.requestResync = requestResync;
  }

  /** Schedules a resync after {@link #DELAY}, unless one is pending. */
  public synchronized void schedule() {
    if (scheduler == null) {
      scheduler = newScheduler();
    }
    if (scheduled.compareAndSet(false, true)) {
      scheduler.schedule(
          () -> {
            scheduled.set(false);
            requestResync.run();
          },
          DELAY.toMillis(),
          TimeUnit.MILLISECONDS);
    }
  }

  private ScheduledExecutorService newScheduler() {
    ScheduledExecutorService executor =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "resync-retry");
    if (executor instanceof SizedScheduledExecutorService sized) {
      // otherwise stopping would wait for pending retries
      sized
          .getScheduledThreadPoolExecutor()
          .setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }
    return executor;
  }
}
