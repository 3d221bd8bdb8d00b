// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.time.Moment;
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
  private final Duration maxAge;
  private CamelContext context;
  private volatile @Nullable ScheduledExecutorService scheduler;
  private volatile String lastError = "Not checked yet";

  /** The end of the last check, or the start of the first one; null while stopped. */
  private volatile @Nullable Moment lastResult;

  /** Fails if the dependency is unavailable; the message is the reason. */
  @FunctionalInterface
  public interface Check {
    void run() throws Exception;
  }

  /**
   * @param threadName the name of the probe's thread
   * @param check closed with the probe if it is {@link AutoCloseable}
   * @param maxDuration of a check; after that, the last result no longer counts
   */
  public Probe(String threadName, Check check, Duration maxDuration) {
    this(threadName, check, maxDuration, INTERVAL);
  }

  Probe(String threadName, Check check, Duration maxDuration, Duration interval) {
    this.threadName = threadName;
    this.check = check;
    this.interval = interval;
    this.maxAge = interval.plus(maxDuration);
  }

  /** Runs the check immediately if the probe is started, since the last result may be stale. */
  public void trigger() {
    ScheduledExecutorService current = scheduler;
    if (current != null && !current.isShutdown()) {
      current.execute(this::run);
    }
  }

  /**
   * Returns the error of the last check as a sentence; empty if it succeeded. A result that is too
   * old is an error: the check hangs.
   */
  public Optional<String> lastError() {
    Duration age = age().orElse(Duration.ZERO);
    if (age.compareTo(maxAge) > 0) {
      return Optional.of(
          "The check hangs: no result for %d s; the limit is %d s"
              .formatted(age.toSeconds(), maxAge.toSeconds()));
    }
    return Optional.of(lastError).filter(error -> !error.isEmpty());
  }

  /** Returns the time since the last result, or since the start; empty while stopped. */
  public Optional<Duration> age() {
    return Optional.ofNullable(lastResult).map(Moment.now()::since);
  }

  @Override
  protected void doStart() {
    lastResult = Moment.now();
    scheduler =
        context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, threadName);
    scheduler.scheduleWithFixedDelay(this::run, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  protected void doStop() throws Exception {
    lastResult = null;
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
    if (isRunAllowed()) {
      lastResult = Moment.now();
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
