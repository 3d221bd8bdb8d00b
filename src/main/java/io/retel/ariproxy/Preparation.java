package io.retel.ariproxy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What has to be there before the first event and the first command are taken, such as the topics
 * and the memory of call contexts. Each step is tried until it succeeds, on a thread of its own: a
 * server may come later than the proxy.
 */
final class Preparation extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(Preparation.class);

  private static final Duration FIRST_RETRY = Duration.ofMillis(100);
  private static final Duration LAST_RETRY = Duration.ofSeconds(5);

  private final List<Step> steps;
  private volatile String waitsFor = "What has to be there is looked for";
  private volatile Runnable whenDone = () -> {};
  private Thread thread;

  /** A step that fails as long as it has to be tried again; the message says why. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  Preparation(List<Step> steps) {
    this.steps = List.copyOf(steps);
  }

  /** What is to be done as soon as all is there; to be given before the start. */
  void whenDone(Runnable action) {
    whenDone = action;
  }

  /** Whether all is there. */
  boolean isDone() {
    return waitsFor.isEmpty();
  }

  /** What is not there yet, in a sentence. */
  Optional<String> waitsFor() {
    return Optional.of(waitsFor).filter(what -> !what.isEmpty());
  }

  @Override
  protected void doStart() {
    thread = new Thread(this::prepare, "preparation");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  protected void doStop() throws InterruptedException {
    if (thread != null) {
      thread.interrupt();
      thread.join(LAST_RETRY.toMillis());
    }
  }

  private void prepare() {
    try {
      for (Step step : steps) {
        untilItSucceeds(step);
      }
      waitsFor = "";
      whenDone.run();
    } catch (InterruptedException e) {
      // stopped
    }
  }

  private void untilItSucceeds(Step step) throws InterruptedException {
    Duration retry = FIRST_RETRY;
    while (true) {
      try {
        step.run();
        return;
      } catch (InterruptedException e) {
        throw e;
      } catch (Exception e) {
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedException();
        }
        String why = RootCause.inOneLine(e);
        if (!why.equals(waitsFor)) {
          waitsFor = why;
          LOG.warn(
              "No event and no command is taken yet: {}; trying again every {} s at the latest",
              why,
              LAST_RETRY.toSeconds());
        }
        TimeUnit.NANOSECONDS.sleep(retry.toNanos());
        Duration longer = retry.multipliedBy(2);
        retry = longer.compareTo(LAST_RETRY) < 0 ? longer : LAST_RETRY;
      }
    }
  }
}
