// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.timer;

import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;

/** A service that checks something once a second, so it never delays messages. */
public abstract class PeriodicCheck extends ServiceSupport {

  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** The context whose thread runs the check. */
  protected final CamelContext context;

  /** The name of a separate thread; null for the shared one. */
  private final @Nullable String threadName;

  private final Duration interval;
  private @Nullable ScheduledExecutorService ownThread;
  private @Nullable Future<?> checks;

  /** A check that does not block, on the {@link SharedTimer}. */
  protected PeriodicCheck(CamelContext context) {
    this(context, null, INTERVAL);
  }

  /**
   * A check that can block.
   *
   * @param threadName the name of its thread
   */
  protected PeriodicCheck(CamelContext context, String threadName) {
    this(context, threadName, INTERVAL);
  }

  PeriodicCheck(CamelContext context, @Nullable String threadName, Duration interval) {
    this.context = context;
    this.threadName = threadName;
    this.interval = interval;
  }

  /** Checks once. An error is logged, the first time. */
  protected abstract void check();

  @Override
  protected void doStart() {
    ScheduledExecutorService thread;
    if (threadName == null) {
      thread = SharedTimer.of(context);
    } else {
      thread =
          context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, threadName);
      ownThread = thread;
    }
    long millis = interval.toMillis();
    checks =
        thread.scheduleWithFixedDelay(
            FatalErrors.continuing(this::check), millis, millis, TimeUnit.MILLISECONDS);
  }

  @Override
  protected void doStop() {
    if (checks != null) {
      checks.cancel(false);
    }
    if (ownThread != null) {
      context.getExecutorServiceManager().shutdownNow(ownThread);
    }
  }
}
