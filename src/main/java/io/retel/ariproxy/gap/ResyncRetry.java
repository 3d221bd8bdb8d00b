package io.retel.ariproxy.gap;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;

/** Looks around once more after a while, because Asterisk did not answer. */
public final class ResyncRetry {

  /** Long enough to ask for little, short enough for a call that has not been announced. */
  public static final Duration DELAY = Duration.ofSeconds(10);

  private final CamelContext context;
  private final Runnable requestResync;
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private ScheduledExecutorService scheduler;

  /**
   * @param tellConnected lets the route of the events hear once more, among the events, that the
   *     websocket is open
   */
  public ResyncRetry(CamelContext context, Runnable requestResync) {
    this.context = context;
    this.requestResync = requestResync;
  }

  /** Does so after {@link #DELAY}; what waits for it already is enough. */
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
      // a stop would wait for what is due later
      sized
          .getScheduledThreadPoolExecutor()
          .setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }
    return executor;
  }
}
