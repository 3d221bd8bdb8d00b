// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;

/**
 * Periodic check of a dependency on its own thread, so that health requests return its latest
 * result without waiting.
 */
public final class Probe extends ServiceSupport implements CamelContextAware {

  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private final String threadName;
  private final Check check;
  private final Duration interval;
  private CamelContext context;
  private volatile @Nullable ScheduledExecutorService scheduler;
  private volatile String lastError = "Not checked yet";

  /** Fails if the dependency is unavailable; the message is the reason. */
  @FunctionalInterface
  public interface Check {
    void run() throws Exception;
  }

  /**
   * @param threadName the name of the probe's thread
   * @param check must return in bounded time; closed with the probe if it is {@link AutoCloseable}
   */
  public Probe(String threadName, Check check) {
    this(threadName, check, INTERVAL);
  }

  Probe(String threadName, Check check, Duration interval) {
    this.threadName = threadName;
    this.check = check;
    this.interval = interval;
  }

  /** Runs the check immediately if the probe is started, since the last result may be stale. */
  public void trigger() {
    ScheduledExecutorService current = scheduler;
    if (current != null && !current.isShutdown()) {
      current.execute(this::run);
    }
  }

  /** Returns the error of the last check as a sentence; empty if it succeeded. */
  public Optional<String> lastError() {
    return Optional.of(lastError).filter(error -> !error.isEmpty());
  }

  @Override
  protected void doStart() {
    scheduler =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, threadName);
    scheduler.scheduleWithFixedDelay(this::run, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  protected void doStop() throws Exception {
    if (scheduler != null) {
      context.getExecutorServiceManager().shutdownNow(scheduler);
    }
    if (check instanceof AutoCloseable closeable) {
      closeable.close();
    }
  }

  private void run() {
    try {
      check.run();
      lastError = "";
    } catch (Throwable e) {
      // any error would end the schedule and freeze the last result
      FatalErrors.exitIfOutOfMemory(e);
      lastError = ErrorMessages.singleLine(e);
    }
  }

  @Override
  public CamelContext getCamelContext() {
    return context;
  }

  @Override
  public void setCamelContext(CamelContext context) {
    this.context = context;
  }
}
