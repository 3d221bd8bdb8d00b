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
public abstract class ReplaceableConsumer extends DefaultConsumer
    implements Suspendable, ShutdownAware {

  /** What leads into the route. */
  protected final Turnstile turnstile;

  protected ReplaceableConsumer(Endpoint endpoint, Processor processor, Turnstile turnstile) {
    super(endpoint, processor);
    this.turnstile = turnstile;
  }

  @Override
  protected void doSuspend() {
    turnstile.close();
  }

  @Override
  protected void doResume() {
    turnstile.open();
  }

  /** Whether all has to be worked to its end now. */
  protected final boolean contextStops() {
    return getEndpoint().getCamelContext().isStopping();
  }

  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    return contextStops();
  }

  @Override
  public void prepareShutdown(boolean suspendOnly, boolean forced) {
    // nothing to prepare
  }
}
