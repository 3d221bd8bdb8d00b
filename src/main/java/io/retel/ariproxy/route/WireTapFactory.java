// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.apache.camel.NamedNode;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.model.ExecutorServiceAwareDefinition;
import org.apache.camel.model.WireTapDefinition;
import org.apache.camel.processor.DefaultProcessorFactory;
import org.apache.camel.reifier.WireTapReifier;
import org.apache.camel.spi.ThreadPoolProfile;
import org.apache.camel.util.concurrent.ThreadPoolRejectedPolicy;

/**
 * Builds the {@code wireTap} steps of authors. Camel gives their copies the error handler of the
 * step's route: that of a shipped route would publish a RESPONSE, or count an event as lost. It
 * also processes copies on the thread of the step if too many wait.
 */
final class WireTapFactory extends DefaultProcessorFactory {

  @Override
  public Processor createProcessor(Route route, NamedNode definition) throws Exception {
    Optional<StepWatch> watch =
        definition instanceof WireTapDefinition<?> tap ? StepWatch.of(tap) : Optional.empty();
    return watch.isPresent()
        ? new Reifier(route, (WireTapDefinition<?>) definition, watch.get()).createProcessor()
        : super.createProcessor(route, definition);
  }

  private static final class Reifier extends WireTapReifier {

    private final StepWatch step;

    Reifier(Route route, WireTapDefinition<?> tap, StepWatch step) {
      super(route, tap);
      this.step = step;
    }

    @Override
    public ExecutorService getConfiguredExecutorService(
        String name, ExecutorServiceAwareDefinition<?> tap, boolean useDefault) {
      if (tap.getExecutorServiceBean() != null || tap.getExecutorServiceRef() != null) {
        return super.getConfiguredExecutorService(name, tap, useDefault);
      }
      ThreadPoolProfile threads = new ThreadPoolProfile("copies");
      threads.setRejectedPolicy(ThreadPoolRejectedPolicy.Abort);
      return camelContext.getExecutorServiceManager().newThreadPool(tap, name, threads);
    }

    @Override
    protected Processor wrapInErrorHandler(Processor sender) throws Exception {
      return step.tappedCopies()
          .sending(step.isInShippedRoute() ? sender : super.wrapInErrorHandler(sender));
    }
  }
}
