package io.retel.ariproxy.gap;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;

/** Looks around once more after a while, because Asterisk did not answer. */
public final class LookAgain {

  /** Long enough to ask for little, short enough for a call that has not been announced. */
  public static final Duration AFTER = Duration.ofSeconds(10);

  private final CamelContext context;
  private final Runnable tellConnected;
  private final AtomicBoolean waiting = new AtomicBoolean();
  private ScheduledExecutorService timer;

  /**
   * @param tellConnected lets the route of the events hear once more, among the events, that the
   *     websocket is open
   */
  public LookAgain(CamelContext context, Runnable tellConnected) {
    this.context = context;
    this.tellConnected = tellConnected;
  }

  /** Does so after {@link #AFTER}; what waits for it already is enough. */
  public synchronized void soon() {
    if (timer == null) {
      timer = newTimer();
    }
    if (waiting.compareAndSet(false, true)) {
      timer.schedule(
          () -> {
            waiting.set(false);
            tellConnected.run();
          },
          AFTER.toMillis(),
          TimeUnit.MILLISECONDS);
    }
  }

  private ScheduledExecutorService newTimer() {
    ScheduledExecutorService made =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, "look-again");
    if (made instanceof SizedScheduledExecutorService sized) {
      // a stop would wait for what is due later
      sized
          .getScheduledThreadPoolExecutor()
          .setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }
    return made;
  }
}
