// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Preconditions for consuming events and commands, such as topics and restored call contexts. Each
 * is retried until it holds, on the gate's own thread, since servers can start after the proxy.
 */
final class StartupGate extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(StartupGate.class);

  private static final Duration INITIAL_RETRY_DELAY = Duration.ofMillis(100);
  private static final Duration MAX_RETRY_DELAY = Duration.ofSeconds(5);

  private static final String CHECKING = "Checking preconditions";

  private final List<Precondition> preconditions;
  private volatile String unmetPrecondition = CHECKING;
  private volatile Runnable onReady = () -> {};
  private volatile @Nullable Thread thread;

  /** Fails while it must be retried; the message is the reason. */
  @FunctionalInterface
  interface Precondition {
    void ensure() throws Exception;

    /** Returns what happens before it holds or fails, as a sentence. */
    default String progress() {
      return CHECKING;
    }

    /**
     * Names what a precondition does, for one that takes long.
     *
     * @param progress as a sentence
     */
    static Precondition named(String progress, Precondition precondition) {
      return new Precondition() {
        @Override
        public void ensure() throws Exception {
          precondition.ensure();
        }

        @Override
        public String progress() {
          return progress;
        }
      };
    }
  }

  StartupGate(List<Precondition> preconditions) {
    this.preconditions = List.copyOf(preconditions);
  }

  /** Sets the action to run once all preconditions hold; call it before the start. */
  void onReady(Runnable action) {
    onReady = action;
  }

  /** Returns whether all preconditions hold. */
  boolean isReady() {
    return unmetPrecondition.isEmpty();
  }

  /** Returns the reason for not being ready, as a sentence. */
  Optional<String> unmetPrecondition() {
    return Optional.of(unmetPrecondition).filter(reason -> !reason.isEmpty());
  }

  /** Returns the name of its thread if that has ended before all preconditions hold. */
  Optional<String> endedThread() {
    return Optional.ofNullable(thread)
        .filter(started -> !isReady() && !started.isAlive())
        .map(Thread::getName);
  }

  @Override
  protected void doStart() {
    thread = new Thread(this::ensureAll, "startup-gate");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  protected void doStop() throws InterruptedException {
    if (thread != null) {
      thread.interrupt();
      thread.join(MAX_RETRY_DELAY.toMillis());
    }
  }

  private void ensureAll() {
    try {
      for (Precondition precondition : preconditions) {
        retryUntilSuccess(precondition);
      }
      unmetPrecondition = "";
      onReady.run();
    } catch (InterruptedException e) {
      // stopped
    }
  }

  private void retryUntilSuccess(Precondition precondition) throws InterruptedException {
    Duration delay = INITIAL_RETRY_DELAY;
    // not the reason of an earlier one, which holds
    unmetPrecondition = precondition.progress();
    while (true) {
      try {
        precondition.ensure();
        return;
      } catch (InterruptedException e) {
        throw e;
      } catch (Throwable e) {
        FatalErrors.exitIfOutOfMemory(e);
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedException();
        }
        String reason = ErrorMessages.singleLine(e);
        if (!reason.equals(unmetPrecondition)) {
          unmetPrecondition = reason;
          LOG.warn(
              "Not consuming yet: {}; retrying within {} s", reason, MAX_RETRY_DELAY.toSeconds());
        }
        TimeUnit.NANOSECONDS.sleep(delay.toNanos());
        Duration doubled = delay.multipliedBy(2);
        delay = doubled.compareTo(MAX_RETRY_DELAY) < 0 ? doubled : MAX_RETRY_DELAY;
      }
    }
  }
}
