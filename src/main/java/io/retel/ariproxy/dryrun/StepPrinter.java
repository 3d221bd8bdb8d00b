// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

import io.retel.ariproxy.command.CommandRejectedException;
import io.retel.ariproxy.dryrun.Transcript.Snapshot;
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
import org.apache.camel.support.processor.DelegateAsyncProcessor;

/** Prints each step of each route, with its changes or its error. */
final class StepPrinter implements InterceptStrategy {

  private final Transcript transcript;

  StepPrinter(Transcript transcript) {
    this.transcript = transcript;
  }

  @Override
  public Processor wrapProcessorInInterceptors(
      CamelContext context, NamedNode definition, Processor target, Processor nextTarget) {
    String route = String.valueOf(ProcessorDefinitionHelper.getRouteId(definition));
    String step =
        definition.getShortName() + (definition.getId() == null ? "" : " " + definition.getId());
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
        transcript.received(route);
        if (isInCatch) {
          transcript.caught(
              exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Throwable.class));
        }
        if (printsOthers) {
          transcript.enter(route, step);
          return super.process(
              exchange,
              doneSync -> {
                printError(exchange);
                callback.done(doneSync);
              });
        }
        Snapshot before = Snapshot.of(exchange);
        return super.process(
            exchange,
            doneSync -> {
              print(exchange, before);
              callback.done(doneSync);
            });
      }

      private void print(Exchange exchange, Snapshot before) {
        if (exchange.getException() == null) {
          transcript.step(route, step, before, Snapshot.of(exchange));
        } else {
          printError(exchange);
        }
      }

      private void printError(Exchange exchange) {
        Exception error = exchange.getException();
        if (error == null) {
          return;
        }
        if (error instanceof CommandRejectedException
            || error instanceof ThrottlerRejectedExecutionException) {
          transcript.reject(route, step, error);
        } else {
          transcript.fail(route, step, error);
        }
      }
    };
  }
}
