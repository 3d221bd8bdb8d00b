package io.retel.ariproxy.management;

import io.retel.ariproxy.ErrorMessages;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.support.service.ServiceSupport;

/**
 * Asks something that may take its time whether it is there, again and again and on a thread of its
 * own, so that who asks for the proxy's health has the latest answer at once.
 */
public final class Probe extends ServiceSupport implements CamelContextAware {

  private static final Duration INTERVAL = Duration.ofSeconds(5);

  private final String threadName;
  private final Check check;
  private final Duration interval;
  private CamelContext context;
  private volatile ScheduledExecutorService scheduler;
  private volatile String lastError = "It has not answered yet";

  /** Fails if what is asked is not there; the message says why. */
  @FunctionalInterface
  public interface Check {
    void run() throws Exception;
  }

  /**
   * @param name of its thread
   * @param question must come to its end by itself; closed with the probe if it can be
   */
  public Probe(String threadName, Check check) {
    this(threadName, check, INTERVAL);
  }

  Probe(String threadName, Check check, Duration interval) {
    this.threadName = threadName;
    this.check = check;
    this.interval = interval;
  }

  /** Asks at once, since the last answer may not hold any more. */
  public void trigger() {
    ScheduledExecutorService current = scheduler;
    if (current != null && !current.isShutdown()) {
      current.execute(this::run);
    }
  }

  /** What was wrong the last time, in a sentence. */
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
    } catch (Exception | LinkageError | AssertionError | OutOfMemoryError e) {
      // also what a client throws that should not: a probe that ended would tell its last answer
      // for ever
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
