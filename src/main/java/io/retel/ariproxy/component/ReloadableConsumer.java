package io.retel.ariproxy.component;

import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;
import org.apache.camel.Suspendable;
import org.apache.camel.spi.ShutdownAware;
import org.apache.camel.support.DefaultConsumer;

/**
 * A consumer whose route can be exchanged under load: it is suspended at once behind its turnstile,
 * what is in flight finishes, and what waits stays where it is for the consumer that takes its
 * place. Only when the whole context stops is everything worked to its end.
 *
 * <p>{@code direct:} and {@code seda:} put off the stop of their route for as long as anything is
 * in flight, and under load something always is.
 */
public abstract class ReloadableConsumer extends DefaultConsumer
    implements Suspendable, ShutdownAware {

  /** What leads into the route. */
  protected final RouteGate gate;

  protected ReloadableConsumer(Endpoint endpoint, Processor processor, RouteGate gate) {
    super(endpoint, processor);
    this.gate = gate;
  }

  @Override
  protected void doSuspend() {
    gate.close();
  }

  @Override
  protected void doResume() {
    gate.open();
  }

  /** Whether all has to be worked to its end now. */
  protected final boolean isContextStopping() {
    return getEndpoint().getCamelContext().isStopping();
  }

  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    return isContextStopping();
  }

  @Override
  public void prepareShutdown(boolean suspendOnly, boolean forced) {
    // nothing to prepare
  }
}
