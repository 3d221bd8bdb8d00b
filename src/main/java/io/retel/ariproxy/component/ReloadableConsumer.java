// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component;

import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;
import org.apache.camel.Suspendable;
import org.apache.camel.spi.ShutdownAware;
import org.apache.camel.support.DefaultConsumer;

/**
 * A consumer whose route can be replaced under load.
 *
 * <p>A suspend closes its {@link RouteGate} immediately: exchanges in flight finish, and queued
 * messages wait for the next consumer. Only a stop of the whole context drains the queue.
 *
 * <p>{@code direct:} and {@code seda:} defer the stop of their route while anything is in flight,
 * and under load something always is in flight.
 */
public abstract class ReloadableConsumer extends DefaultConsumer
    implements Suspendable, ShutdownAware {

  /** The entrance to the route. */
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

  /** Whether queued messages must be drained, since the context is stopping. */
  protected final boolean isContextStopping() {
    return getEndpoint().getCamelContext().isStopping();
  }

  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    return isContextStopping();
  }

  @Override
  public void prepareShutdown(boolean suspendOnly, boolean forced) {}
}
