// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

import io.retel.ariproxy.command.CommandRejectedException;
import io.retel.ariproxy.dryrun.Transcript.Snapshot;
import io.retel.ariproxy.route.AddedSteps;
import org.apache.camel.AsyncCallback;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.model.CatchDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.SendDefinition;
import org.apache.camel.processor.ThrottlerRejectedExecutionException;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.jspecify.annotations.Nullable;

/** Prints each step of each route, with its changes or its error. */
final class StepPrinter implements InterceptStrategy {

  private final Transcript transcript;

  StepPrinter(Transcript transcript) {
    this.transcript = transcript;
  }

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
    @Nullable String ownRoute = ProcessorDefinitionHelper.getRouteId(definition);
    String step =
        definition.getShortName() + (definition.getId() == null ? "" : " " + definition.getId());
    String location = AddedSteps.location(definition);
    boolean printsOthers =
        definition instanceof SendDefinition
            || definition instanceof ProcessorDefinition<?> block && !block.getOutputs().isEmpty();
    boolean isInCatch =
        definition instanceof ProcessorDefinition<?> node
            && ProcessorDefinitionHelper.findFirstParentOfType(CatchDefinition.class, node, true)
                != null;
    return new DelegateAsyncProcessor(target) {
      @Override
      public boolean process(Exchange exchange, AsyncCallback callback) {
        // a step of a route configuration runs in the route that has failed
        String route = ownRoute == null ? ExchangeHelper.getRouteId(exchange) : ownRoute;
        if (!transcript.start(definition, route)) {
          // ends retries as well
          exchange.setRollbackOnly(true);
          exchange.setException(new IllegalStateException("the dry run has ended"));
          callback.done(true);
          return true;
        }
        if (isInCatch) {
          transcript.caught(
              exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class));
        }
        if (printsOthers) {
          transcript.enter(route, step);
          return super.process(
              exchange,
              doneSync -> {
                printError(exchange, route);
                callback.done(doneSync);
              });
        }
        Snapshot before = Snapshot.of(exchange);
        return super.process(
            exchange,
            doneSync -> {
              print(exchange, route, before);
              callback.done(doneSync);
            });
      }

      private void print(Exchange exchange, String route, Snapshot before) {
        if (exchange.getException() == null) {
          transcript.step(route, step, before, Snapshot.of(exchange));
        } else {
          printError(exchange, route);
        }
      }

      private void printError(Exchange exchange, String route) {
        Exception error = exchange.getException();
        if (error == null) {
          return;
        }
        if (error instanceof CommandRejectedException
            || error instanceof ThrottlerRejectedExecutionException) {
          transcript.reject(route, step, error);
        } else {
          transcript.fail(route, step, location, error);
        }
      }
    };
  }
}
