// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import io.retel.ariproxy.component.ReloadableConsumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Processor;
import org.apache.camel.ShutdownRunningTask;

/** The called side of a handover point. */
class HandoverConsumer extends ReloadableConsumer {

  private final HandoverPoint handoverPoint;

  HandoverConsumer(Endpoint endpoint, Processor processor, HandoverPoint handoverPoint) {
    super(endpoint, processor, handoverPoint.gate);
    this.handoverPoint = handoverPoint;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    if (handoverPoint.consumer != null) {
      throw new IllegalStateException("Another route already consumes from " + getEndpoint());
    }
    handoverPoint.consumer = this;
    gate.open();
  }

  /**
   * Still accepts calls while the context stops: a Kafka consumer that stops later can have records
   * of a poll, which are not in flight, and waits for the one that it processes.
   */
  @Override
  protected void doStop() throws Exception {
    if (!isContextStopping()) {
      leave();
      super.doStop();
    }
  }

  /** All consumers have stopped. */
  @Override
  protected void doShutdown() throws Exception {
    leave();
    super.doStop();
    super.doShutdown();
  }

  private void leave() {
    if (handoverPoint.consumer == this) {
      gate.close();
      handoverPoint.consumer = null;
    }
  }

  /**
   * Does nothing unless active: a rejected second consumer must not close the gate of the first.
   */
  @Override
  protected void doSuspend() {
    if (handoverPoint.consumer == this) {
      super.doSuspend();
    }
  }

  @Override
  protected void doResume() {
    if (handoverPoint.consumer == this) {
      super.doResume();
    }
  }

  /** Also defers on a suspend of the context, since callers are suspended first. */
  @Override
  public boolean deferShutdown(ShutdownRunningTask shutdownRunningTask) {
    return isContextStopping() || getEndpoint().getCamelContext().isSuspending();
  }

  @Override
  public int getPendingExchangesSize() {
    return gate.activeCount();
  }
}
