// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.InterceptDefinition;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.OnCompletionDefinition;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.StopDefinition;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the steps that authors have added to the shipped routes, and those of their own routes:
 * the error of such a step is not one of Kafka or Asterisk, and a {@code stop} ends a message that
 * has to be counted.
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
  private static final String STOPPED_BY = "stoppedBy";

  private static final String NO_STEP = "none";
  private static final String UNNAMED = "unnamed";

  private static final Logger LOG = LoggerFactory.getLogger(AddedSteps.class);

  private final MeterRegistry meters;
  private final Predicate<Exception> isRejection;
  private final Consumer<Exchange> onStopped;

  /**
   * @param isRejection whether an exception is what a step is meant to throw
   * @param onStopped called when a step of a shipped route has ended an exchange
   */
  public AddedSteps(
      MeterRegistry meters, Predicate<Exception> isRejection, Consumer<Exchange> onStopped) {
    this.meters = meters;
    this.isRejection = isRejection;
    this.onStopped = onStopped;
    // otherwise the metric does not exist until there is a step
    Meters.STEPS_FAILED.counter(meters, NO_STEP, NO_STEP);
  }

  /** Returns the added step whose error the exchange has or had, for a sentence. */
  public static Optional<String> failed(Exchange exchange) {
    return Optional.ofNullable(exchange.getProperty(FAILED_STEP)).map(Object::toString);
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
  private record Definition(String routeId, boolean shipped, Set<String> shippedIds) {}

  /**
   * @param ancestors of the steps, outermost first: Camel asks the strategies of one of them
   * @param stopsOnly whether errors of the steps can be caught
   */
  private void watch(
      Definition route,
      List<ProcessorDefinition<?>> steps,
      List<ProcessorDefinition<?>> ancestors,
      boolean stopsOnly) {
    for (ProcessorDefinition<?> step : steps) {
      if (step instanceof OnExceptionDefinition
          || step instanceof OnCompletionDefinition
          || step instanceof InterceptDefinition) {
        continue;
      }
      boolean added = !step.hasCustomIdAssigned() || !route.shippedIds().contains(step.getId());
      if (added && (!stopsOnly || step instanceof StopDefinition) && !isWatched(step)) {
        Watch watch = new Watch(route, step);
        step.addInterceptStrategy(watch);
        ancestors.forEach(ancestor -> ancestor.addInterceptStrategy(watch));
      }
      List<ProcessorDefinition<?>> path = new ArrayList<>(ancestors);
      path.add(step);
      watch(route, children(step), path, stopsOnly || step instanceof TryDefinition);
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

  private static boolean isWatched(ProcessorDefinition<?> step) {
    return step.getInterceptStrategies().stream()
        .anyMatch(strategy -> strategy instanceof Watch watch && watch.step == step);
  }

  /** The added step that failed, as the value of a property; its text names the step. */
  private static final class Failure {

    private final Watch watch;

    /** Whether a repetition of the step has succeeded. */
    private volatile boolean repaired;

    Failure(Watch watch) {
      this.watch = watch;
    }

    @Override
    public String toString() {
      return watch.place;
    }
  }

  /** Watches one step. */
  private final class Watch implements InterceptStrategy {

    private final ProcessorDefinition<?> step;
    private final boolean shippedRoute;
    private final String place;
    private final Counter failures;

    Watch(Definition route, ProcessorDefinition<?> step) {
      // Camel numbers the others, again at each load
      String id = step.hasCustomIdAssigned() ? step.getId() : step.getShortName();
      this.step = step;
      this.shippedRoute = route.shipped();
      this.place = "step " + id + " of route " + route.routeId() + location(step);
      this.failures = Meters.STEPS_FAILED.counter(meters, route.routeId(), id);
    }

    @Override
    public Processor wrapProcessorInInterceptors(
        CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
      if (definition != step) {
        return target;
      }
      boolean stops = shippedRoute && definition instanceof StopDefinition;
      return new DelegateAsyncProcessor(target) {
        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
          Object before = exchange.getProperty(FAILED_STEP);
          return super.process(
              exchange,
              doneSync -> {
                if (stops) {
                  exchange.setProperty(STOPPED_BY, place);
                  onStopped.accept(exchange);
                }
                onDone(exchange, before);
                callback.done(doneSync);
              });
        }
      };
    }

    /**
     * @param before the property before the step
     */
    private void onDone(Exchange exchange, @Nullable Object before) {
      Exception error = exchange.getException();
      Object current = exchange.getProperty(FAILED_STEP);
      if (error != null && current == null) {
        Failure failure = new Failure(this);
        exchange.setProperty(FAILED_STEP, failure);
        if (!isRejection.test(error)) {
          report(exchange, failure, error);
        }
      } else if (error == null && current instanceof Failure failure) {
        if (failure.watch == this) {
          failure.repaired = true;
          exchange.removeProperty(FAILED_STEP);
        } else if (failure != before) {
          // an error handler or another route has handled it
          exchange.removeProperty(FAILED_STEP);
        }
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
                        RateLimitFilter.PER_MESSAGE, "Failed: {}: {}", place, error.toString());
                  }
                }
              });
    }

    /** Returns file and line, in parentheses. */
    private static String location(ProcessorDefinition<?> step) {
      return step.getLocation() == null || step.getLineNumber() <= 0
          ? ""
          : " (%s:%d)".formatted(Path.of(step.getLocation()).getFileName(), step.getLineNumber());
    }
  }
}
