// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.logging.RateLimitFilter;
import java.util.Optional;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.ExecutorServiceAwareDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.StopDefinition;
import org.apache.camel.processor.WireTapProcessor;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Watches one step of an author. Thread-safe. */
final class StepWatch implements InterceptStrategy {

  private static final Logger LOG = LoggerFactory.getLogger(AddedSteps.class);

  /** Causes to search, since a chain of causes can have a cycle. */
  private static final int MAX_CAUSES = 20;

  private static final String ENDLESS_LOOP =
      "endless loop: the message is in 1,000 added steps, one within the other";

  /** Steps that a message can be in, one within the other; a loop would take all heap. */
  private static final int MAX_DEPTH = 1_000;

  private final AddedSteps steps;
  private final ProcessorDefinition<?> step;
  private final String routeId;
  private final String stepId;
  private final boolean shippedRoute;
  private final boolean errorsCaught;
  private final String place;

  /** The place in a format, since each step has lines of its kind. */
  private final String placeFormat;

  private final Counter failures;
  private final Counter discardedCopies;
  private final TappedCopies tappedCopies;

  /**
   * @param errorsCaught whether errors of the step can be caught
   */
  StepWatch(
      AddedSteps steps,
      AddedSteps.Definition route,
      ProcessorDefinition<?> step,
      boolean errorsCaught) {
    this.steps = steps;
    this.step = step;
    this.routeId = route.routeId();
    // Camel numbers the others, again at each load
    this.stepId = step.hasCustomIdAssigned() ? step.getId() : step.getShortName();
    this.shippedRoute = route.shipped();
    this.errorsCaught = errorsCaught;
    String location = AddedSteps.location(step);
    this.place =
        "step %s of route %s%s"
            .formatted(stepId, routeId, location.isEmpty() ? "" : " (" + location + ")");
    this.placeFormat = place.replace("{}", "").replace("\\", "");
    this.failures = steps.failures(routeId, stepId);
    this.discardedCopies = steps.discardedCopies(routeId, stepId);
    this.tappedCopies = new TappedCopies(this, steps.newCopyHeap());
  }

  /** Returns what watches a step, if it is one of an author. */
  static Optional<StepWatch> of(ProcessorDefinition<?> step) {
    return step.getInterceptStrategies().stream()
        .filter(StepWatch.class::isInstance)
        .map(StepWatch.class::cast)
        .filter(watch -> watch.step == step)
        .findFirst();
  }

  /** Whether the step is in a shipped route, whose errors are those of events and commands. */
  boolean isInShippedRoute() {
    return shippedRoute;
  }

  /** The copies that it sends, if it is a {@code wireTap}. */
  TappedCopies tappedCopies() {
    return tappedCopies;
  }

  /** The added step that failed, as the value of a property; its text names the step. */
  static final class Failure {

    private final StepWatch watch;
    private volatile Exception error;

    /** Whether a repetition of the step has succeeded. */
    private volatile boolean repaired;

    Failure(StepWatch watch, Exception error) {
      this.watch = watch;
      this.error = error;
    }

    /** Whether an error is that of the step, or one of a block around it. */
    boolean isCauseOf(@Nullable Throwable other) {
      Throwable cause = other;
      for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
        if (cause == error) {
          return true;
        }
        cause = cause.getCause();
      }
      return false;
    }

    @Override
    public String toString() {
      return watch.place;
    }
  }

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context,
      NamedNode definition,
      Processor target,
      @Nullable Processor nextTarget) {
    if (definition != step) {
      return target;
    }
    Processor original = nextTarget == null ? target : nextTarget;
    Processor limited =
        original instanceof WireTapProcessor tap
            ? tappedCopies.limited(target, tap, hasOwnThreads())
            : target;
    return new Watched(
        StepKinds.isLog(original) ? new LimitedLog(limited) : limited,
        StepKinds.queues(original),
        StepKinds.discardsWithoutConsumer(original));
  }

  /** Whether the threads of a {@code wireTap} end with its route. */
  private boolean hasOwnThreads() {
    return !(step instanceof ExecutorServiceAwareDefinition<?> threads)
        || threads.getExecutorServiceBean() == null && threads.getExecutorServiceRef() == null;
  }

  /** The step, with what it does to the message. */
  private final class Watched extends DelegateAsyncProcessor {

    private final boolean stops = shippedRoute && step instanceof StopDefinition;
    private final boolean queues;
    private final boolean discards;

    /**
     * @param queues whether the step sends to a queue
     * @param discards whether it sends nothing, without an error, if no route reads the queue
     */
    Watched(Processor target, boolean queues, boolean discards) {
      super(target);
      this.queues = queues;
      this.discards = discards;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      Object before = exchange.getProperty(AddedSteps.FAILED_STEP);
      RunningSteps.Run run = steps.running().start(exchange, place);
      CopySource source = new CopySource(StepWatch.this);
      Object outerSource = source.enter(exchange);
      try {
        if (source.depth() > MAX_DEPTH) {
          throw new IllegalStateException(ENDLESS_LOOP);
        }
        return super.process(
            exchange,
            doneSync -> {
              run.end();
              source.restore(exchange, outerSource);
              onDone(exchange, before, source);
              callback.done(doneSync);
            });
      } catch (Throwable e) {
        // such as a loop, or of a class that is missing; Camel calls back after exceptions only
        if (!run.end()) {
          throw e;
        }
        FatalErrors.exitIfOutOfMemory(e);
        exchange.setException(e);
        source.restore(exchange, outerSource);
        onDone(exchange, before, source);
        callback.done(true);
        return true;
      }
    }

    private void onDone(Exchange exchange, @Nullable Object before, CopySource source) {
      if (stops) {
        exchange.setProperty(AddedSteps.STOPPED_BY, place);
        steps.onStopped(exchange);
      }
      if (discards && exchange.getException() == null) {
        reportUnlessOffered(source);
      }
      if (shippedRoute
          && queues
          && exchange.getException() instanceof CopyRefusedException refused
          && refused.isCopyOf(exchange)) {
        // the message continues without
        exchange.setException(null);
        reportCopy(refused);
      } else if (!errorsCaught) {
        recordFailure(exchange, before);
      }
    }
  }

  /** A log step, as often as it may write. */
  private final class LimitedLog extends DelegateAsyncProcessor {

    private final LogLines lines = steps.newLogLines();
    private final Counter suppressed = steps.suppressedLines(routeId, stepId);

    LimitedLog(Processor target) {
      super(target);
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      if (lines.tryAcquire()) {
        return super.process(exchange, callback);
      }
      suppressed.increment();
      LOG.warn(
          RateLimitFilter.PER_MESSAGE,
          "Line not logged: " + placeFormat + ": a log step writes {} lines a second",
          LogLines.MAX_LINES);
      callback.done(true);
      return true;
    }
  }

  /** Counts a copy that a step has discarded, since no route reads its queue. */
  void reportUnlessOffered(CopySource source) {
    if (!source.isOffered()) {
      reportDiscarded("no route reads the queue");
    }
  }

  /** Counts a copy that an option of its queue has discarded. */
  void reportDiscarded(String reason) {
    discardedCopies.increment();
    LOG.warn(RateLimitFilter.PER_MESSAGE, "Not copied: " + placeFormat + ": {}", reason);
  }

  /** Counts copies that are dropped with their route. */
  void reportDropped(int dropped) {
    reportWaiting(dropped, false);
  }

  /**
   * Counts copies that have waited when their route ended.
   *
   * @param discarded whether an option of their queue has discarded them
   */
  void reportWaiting(int copies, boolean discarded) {
    (discarded ? discardedCopies : failures).increment(copies);
    LOG.warn("Not copied: {}: {} copies waited when their route ended", place, copies);
  }

  /** Counts a copy that is not made or not sent. */
  void reportCopy(Throwable error) {
    failures.increment();
    LOG.warn(
        RateLimitFilter.PER_MESSAGE,
        "Not copied: " + placeFormat + ": {}",
        error instanceof CopyRefusedException ? error.getMessage() : ErrorMessages.ofStep(error));
  }

  /**
   * @param before the property before the step
   */
  private void recordFailure(Exchange exchange, @Nullable Object before) {
    Exception error = exchange.getException();
    Object current = exchange.getProperty(AddedSteps.FAILED_STEP);
    if (error != null) {
      if (!(current instanceof Failure failure)) {
        fail(exchange, error);
      } else if (failure.watch == this) {
        failure.error = error;
      } else if (!failure.isCauseOf(error)) {
        fail(exchange, error);
      }
    } else if (current instanceof Failure failure) {
      if (failure.watch == this) {
        failure.repaired = true;
        exchange.removeProperty(AddedSteps.FAILED_STEP);
      } else if (failure != before) {
        // an error handler or another route has handled it
        exchange.removeProperty(AddedSteps.FAILED_STEP);
      }
    }
  }

  private void fail(Exchange exchange, Exception error) {
    Failure failure = new Failure(this, error);
    exchange.setProperty(AddedSteps.FAILED_STEP, failure);
    if (!steps.isRejection(error)) {
      report(exchange, failure, error);
    }
  }

  /** Counts a failure, in a route of an author once it is not repeated any more. */
  private void report(Exchange exchange, Failure failure, Exception error) {
    if (shippedRoute) {
      // what handles the error logs it
      failures.increment();
      return;
    }
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new MessageCompletion() {
              @Override
              public void onDone(Exchange done) {
                if (!failure.repaired) {
                  failures.increment();
                  LOG.warn(
                      RateLimitFilter.PER_MESSAGE,
                      "Failed: " + placeFormat + ": {}",
                      ErrorMessages.ofStep(error));
                }
              }
            });
  }
}
