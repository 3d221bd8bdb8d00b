// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.camel.Component;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.component.seda.BlockingQueueFactory;
import org.apache.camel.component.seda.SedaComponent;
import org.apache.camel.component.seda.SedaConstants;
import org.apache.camel.model.InterceptDefinition;
import org.apache.camel.model.ModelCamelContext;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.OnCompletionDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.spi.ProcessorFactory;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;

/**
 * Watches the steps that authors have added to the shipped routes, and those of their own routes:
 * the error of such a step is not one of Kafka or Asterisk, a {@code stop} ends a message that has
 * to be counted, and the error of a copy is not one of its message, one that blocks is named, and
 * logs and copies are limited.
 *
 * <p>It marks these steps before Camel builds a route, so the shipped ones cost nothing. A step
 * within a {@code doTry} counts as that one: its error can be caught. An edited copy of a compiled
 * route is watched as a shipped one.
 */
public final class AddedSteps extends ModelLifecycleStrategySupport {

  /**
   * Exchange property with the added step that failed, whose text is such as {@code step notify of
   * route events (events.camel.yaml:57)}.
   */
  public static final String FAILED_STEP = "failedStep";

  /** Exchange property with the added {@code stop} step that ended the exchange, as above. */
  static final String STOPPED_BY = "stoppedBy";

  private static final String NO_STEP = "none";
  private static final String UNNAMED = "unnamed";

  private final MeterRegistry meters;
  private final long copyBytes;
  private final Predicate<Exception> isRejection;
  private final Consumer<Exchange> onStopped;
  private final LongSupplier nanoTime;
  private final RunningSteps running;
  private final Queues queues;

  /**
   * @param copyBytes the heap for copies that wait in one place, in bytes
   * @param isRejection whether an exception is what a step is meant to throw
   * @param onStopped called when a step of a shipped route has ended an exchange
   */
  public AddedSteps(
      MeterRegistry meters,
      long copyBytes,
      Predicate<Exception> isRejection,
      Consumer<Exchange> onStopped) {
    this(meters, copyBytes, isRejection, onStopped, System::nanoTime);
  }

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  AddedSteps(
      MeterRegistry meters,
      long copyBytes,
      Predicate<Exception> isRejection,
      Consumer<Exchange> onStopped,
      LongSupplier nanoTime) {
    this.meters = meters;
    this.copyBytes = copyBytes;
    this.isRejection = isRejection;
    this.onStopped = onStopped;
    this.nanoTime = nanoTime;
    this.running = new RunningSteps(nanoTime);
    // otherwise the metrics do not exist until there is a step
    this.queues =
        new Queues(
            new DroppedCopies(failures(NO_STEP, NO_STEP), discardedCopies(NO_STEP, NO_STEP)));
    suppressedLines(NO_STEP, NO_STEP);
  }

  /** Watches the steps of all routes that the context loads later. */
  public void watch(ModelCamelContext context) {
    context.addModelLifecycleStrategy(this);
    context
        .getCamelContextExtension()
        .addContextPlugin(ProcessorFactory.class, new WireTapFactory());
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onComponentAdd(String name, Component component) {
            if (component instanceof SedaComponent seda) {
              seda.setDefaultQueueFactory(queues);
            }
          }
        });
    try {
      context.addService(queues);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** The queues of {@code seda}, which drop what they contain once all routes have stopped. */
  private final class Queues extends ServiceSupport implements BlockingQueueFactory<Exchange> {

    private final DroppedCopies dropped;

    /** As many as Camel keeps, until it stops. */
    private final Set<CopyQueue> all = ConcurrentHashMap.newKeySet();

    Queues(DroppedCopies dropped) {
      this.dropped = dropped;
    }

    @Override
    public BlockingQueue<Exchange> create() {
      return create(SedaConstants.QUEUE_SIZE);
    }

    @Override
    public BlockingQueue<Exchange> create(int capacity) {
      CopyQueue queue = new CopyQueue(capacity, newCopyHeap(), dropped);
      all.add(queue);
      return queue;
    }

    @Override
    protected void doStop() {
      all.forEach(CopyQueue::drop);
    }
  }

  /** Returns file and line of a step, such as {@code events.camel.yaml:57}; empty if unknown. */
  public static String location(NamedNode step) {
    return step.getLocation() == null || step.getLineNumber() <= 0
        ? ""
        : Path.of(step.getLocation()).getFileName() + ":" + step.getLineNumber();
  }

  /** Returns the added step whose error the exchange has or had, for a sentence. */
  public static Optional<String> failed(Exchange exchange) {
    return Optional.ofNullable(exchange.getProperty(FAILED_STEP)).map(Object::toString);
  }

  /** Returns the added step of which this is the error, or its cause, for a sentence. */
  public static Optional<String> failed(Exchange exchange, @Nullable Throwable error) {
    return exchange.getProperty(FAILED_STEP) instanceof StepWatch.Failure failure
            && failure.isCauseOf(error)
        ? Optional.of(failure.toString())
        : Optional.empty();
  }

  /** Returns the added step that has ended the exchange, for a sentence. */
  public static Optional<String> stopped(Exchange exchange) {
    return Optional.ofNullable(exchange.getProperty(STOPPED_BY, String.class));
  }

  @Override
  public void onAddRouteDefinition(RouteDefinition route) {
    // Camel numbers routes without an id later
    String id = route.getRouteId() == null ? UNNAMED : route.getRouteId();
    boolean compiled = ShippedFiles.isCompiledRoute(id);
    if (route.getResource() == null && compiled) {
      return;
    }
    boolean shipped =
        compiled
            || route.getResource() != null
                && RouteFiles.isShipped(Path.of(route.getResource().getLocation()));
    Definition definition = new Definition(id, shipped, shipped ? ShippedFiles.ids() : Set.of());
    watch(definition, route.getOutputs(), List.of(), false);
  }

  /** A route, whether it is shipped, and the ids of its shipped steps. */
  record Definition(String routeId, boolean shipped, Set<String> shippedIds) {}

  /**
   * @param ancestors of the steps, outermost first: Camel asks the strategies of one of them
   * @param errorsCaught whether errors of the steps can be caught
   */
  private void watch(
      Definition route,
      List<ProcessorDefinition<?>> steps,
      List<ProcessorDefinition<?>> ancestors,
      boolean errorsCaught) {
    for (ProcessorDefinition<?> step : steps) {
      boolean handlesErrors =
          step instanceof OnExceptionDefinition || step instanceof OnCompletionDefinition;
      if (step instanceof InterceptDefinition || handlesErrors && route.shipped()) {
        continue;
      }
      boolean added = !step.hasCustomIdAssigned() || !route.shippedIds().contains(step.getId());
      if (added && StepWatch.of(step).isEmpty()) {
        StepWatch watch = new StepWatch(this, route, step, errorsCaught);
        step.addInterceptStrategy(watch);
        ancestors.forEach(ancestor -> ancestor.addInterceptStrategy(watch));
      }
      List<ProcessorDefinition<?>> path = new ArrayList<>(ancestors);
      path.add(step);
      watch(
          route,
          children(step),
          path,
          errorsCaught || handlesErrors || step instanceof TryDefinition);
    }
  }

  /** Returns the steps within a step; YAML keeps the clauses of a {@code doTry} apart. */
  private static List<ProcessorDefinition<?>> children(ProcessorDefinition<?> step) {
    List<ProcessorDefinition<?>> children = new ArrayList<>(step.getOutputs());
    if (step instanceof TryDefinition tried) {
      if (tried.getCatchClauses() != null) {
        children.addAll(tried.getCatchClauses());
      }
      if (tried.getFinallyClause() != null) {
        children.add(tried.getFinallyClause());
      }
    }
    return children;
  }

  Counter failures(String routeId, String stepId) {
    return Meters.STEPS_FAILED.counter(meters, routeId, stepId);
  }

  Counter discardedCopies(String routeId, String stepId) {
    return Meters.STEPS_COPIES_DISCARDED.counter(meters, routeId, stepId);
  }

  Counter suppressedLines(String routeId, String stepId) {
    return Meters.STEPS_LINES_SUPPRESSED.counter(meters, routeId, stepId);
  }

  RunningSteps running() {
    return running;
  }

  CopyHeap newCopyHeap() {
    return new CopyHeap(copyBytes);
  }

  LogLines newLogLines() {
    return new LogLines(nanoTime);
  }

  boolean isRejection(Exception error) {
    return isRejection.test(error);
  }

  void onStopped(Exchange exchange) {
    onStopped.accept(exchange);
  }
}
