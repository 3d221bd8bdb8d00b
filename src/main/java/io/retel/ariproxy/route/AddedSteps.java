// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import java.nio.file.Path;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the steps that authors have added to the shipped routes, and those of their own routes:
 * the error of such a step is not one of Kafka or Asterisk, and a {@code stop} ends a message that
 * has to be counted.
 *
 * <p>It marks these steps before Camel builds a route, so the shipped ones cost nothing. A step
 * within a {@code doTry} counts as that one: its error can be caught.
 */
public final class AddedSteps extends ModelLifecycleStrategySupport {

  /**
   * Exchange property with the added step that failed, a String such as {@code step notify of route
   * events (events.camel.yaml:57)}.
   */
  private static final String FAILED_STEP = "failedStep";

  /** Exchange property with the added {@code stop} step that ended the exchange, as above. */
  private static final String STOPPED_BY = "stoppedBy";

  private static final String NO_STEP = "none";

  private static final Logger LOG = LoggerFactory.getLogger(AddedSteps.class);

  private final Predicate<String> isCompiledRoute;
  private final MeterRegistry meters;
  private final Predicate<Exception> isRejection;
  private final Consumer<Exchange> onStopped;

  /**
   * @param isCompiledRoute whether a route id is that of a compiled route
   * @param isRejection whether an exception is what a step is meant to throw
   * @param onStopped called when a step of a shipped route has ended an exchange
   */
  public AddedSteps(
      Predicate<String> isCompiledRoute,
      MeterRegistry meters,
      Predicate<Exception> isRejection,
      Consumer<Exchange> onStopped) {
    this.isCompiledRoute = isCompiledRoute;
    this.meters = meters;
    this.isRejection = isRejection;
    this.onStopped = onStopped;
    // otherwise the metric does not exist until there is a step
    Meters.STEPS_FAILED.counter(meters, NO_STEP, NO_STEP);
  }

  /** Returns the added step whose error the exchange has or had, for a sentence. */
  public static Optional<String> failed(Exchange exchange) {
    return Optional.ofNullable(exchange.getProperty(FAILED_STEP, String.class));
  }

  /** Returns the added step that has ended the exchange, for a sentence. */
  public static Optional<String> stopped(Exchange exchange) {
    return Optional.ofNullable(exchange.getProperty(STOPPED_BY, String.class));
  }

  @Override
  public void onAddRouteDefinition(RouteDefinition route) {
    if (route.getResource() == null && isCompiledRoute.test(route.getRouteId())) {
      return;
    }
    boolean shipped =
        route.getResource() != null
            && RouteFiles.isShipped(Path.of(route.getResource().getLocation()));
    Set<String> known = shipped ? ShippedFiles.ids() : Set.of();
    for (ProcessorDefinition<?> step : route.getOutputs()) {
      watch(route.getRouteId(), step, shipped, known);
    }
  }

  private void watch(
      String route, ProcessorDefinition<?> step, boolean shipped, Set<String> known) {
    if (step instanceof OnExceptionDefinition
        || step instanceof OnCompletionDefinition
        || step instanceof InterceptDefinition) {
      return;
    }
    if (step.getId() == null || !known.contains(step.getId())) {
      if (step.getInterceptStrategies().stream().noneMatch(Watch.class::isInstance)) {
        step.addInterceptStrategy(new Watch(route, step, shipped));
      }
    }
    if (!(step instanceof TryDefinition)) {
      step.getOutputs().forEach(child -> watch(route, child, shipped, known));
    }
  }

  /** Watches one step. */
  private final class Watch implements InterceptStrategy {

    private final String route;
    private final NamedNode step;
    private final boolean shippedRoute;

    Watch(String route, NamedNode step, boolean shippedRoute) {
      this.route = route;
      this.step = step;
      this.shippedRoute = shippedRoute;
    }

    @Override
    public Processor wrapProcessorInInterceptors(
        CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
      // Camel asks for its children as well
      if (definition != step) {
        return target;
      }
      String id = definition.getId() == null ? definition.getShortName() : definition.getId();
      String place = "step " + id + " of route " + route + location(definition);
      Counter failures = Meters.STEPS_FAILED.counter(meters, route, id);
      boolean stops = shippedRoute && definition instanceof StopDefinition;
      return new DelegateAsyncProcessor(target) {
        @Override
        public boolean process(Exchange exchange, AsyncCallback callback) {
          return super.process(
              exchange,
              doneSync -> {
                if (stops) {
                  exchange.setProperty(STOPPED_BY, place);
                  onStopped.accept(exchange);
                }
                onDone(exchange, place, failures);
                callback.done(doneSync);
              });
        }
      };
    }

    private void onDone(Exchange exchange, String place, Counter failures) {
      Exception failure = exchange.getException();
      if (failure == null) {
        // an error within it was handled
        if (exchange.getProperty(FAILED_STEP) != null) {
          exchange.removeProperty(FAILED_STEP);
        }
      } else if (exchange.getProperty(FAILED_STEP) == null) {
        exchange.setProperty(FAILED_STEP, place);
        if (!isRejection.test(failure)) {
          failures.increment();
          // what handles errors of the shipped routes reports it
          if (!shippedRoute) {
            LOG.warn(RateLimitFilter.PER_MESSAGE, "Failed: {}: {}", place, String.valueOf(failure));
          }
        }
      }
    }

    /** Returns file and line, in parentheses. */
    private static String location(NamedNode definition) {
      if (!(definition instanceof ProcessorDefinition<?> step)
          || step.getLocation() == null
          || step.getLineNumber() <= 0) {
        return "";
      }
      return " (%s:%d)".formatted(Path.of(step.getLocation()).getFileName(), step.getLineNumber());
    }
  }
}
