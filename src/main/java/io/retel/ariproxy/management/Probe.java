package io.retel.ariproxy.management;

import io.retel.ariproxy.RootCause;
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

  private final String name;
  private final Question question;
  private final Duration interval;
  private CamelContext context;
  private volatile ScheduledExecutorService timer;
  private volatile String trouble = "It has not answered yet";

  /** Fails if what is asked is not there; the message says why. */
  @FunctionalInterface
  public interface Question {
    void ask() throws Exception;
  }

  /**
   * @param name of its thread
   * @param question must come to its end by itself; closed with the probe if it can be
   */
  public Probe(String name, Question question) {
    this(name, question, INTERVAL);
  }

  Probe(String name, Question question, Duration interval) {
    this.name = name;
    this.question = question;
    this.interval = interval;
  }

  /** Asks at once, since the last answer may not hold any more. */
  public void askAgain() {
    ScheduledExecutorService started = timer;
    if (started != null && !started.isShutdown()) {
      started.execute(this::ask);
    }
  }

  /** What was wrong the last time, in a sentence. */
  public Optional<String> trouble() {
    return Optional.of(trouble).filter(why -> !why.isEmpty());
  }

  @Override
  protected void doStart() {
    timer = context.getExecutorServiceManager().newSingleThreadScheduledExecutor(this, name);
    timer.scheduleWithFixedDelay(this::ask, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  protected void doStop() throws Exception {
    if (timer != null) {
      context.getExecutorServiceManager().shutdownNow(timer);
    }
    if (question instanceof AutoCloseable closeable) {
      closeable.close();
    }
  }

  private void ask() {
    try {
      question.ask();
      trouble = "";
    } catch (Exception | LinkageError | AssertionError | OutOfMemoryError e) {
      // also what a client throws that should not: a probe that ended would tell its last answer
      // for ever
      trouble = RootCause.inOneLine(e);
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
