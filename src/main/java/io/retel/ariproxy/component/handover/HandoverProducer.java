// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultAsyncProducer;

/** Calls the active consumer in the caller's thread, which preserves order. */
class HandoverProducer extends DefaultAsyncProducer {

  private final HandoverPoint handoverPoint;
  private final long timeout;

  HandoverProducer(HandoverEndpoint endpoint, HandoverPoint handoverPoint) {
    super(endpoint);
    this.handoverPoint = handoverPoint;
    this.timeout = endpoint.getTimeout();
  }

  @Override
  public boolean process(Exchange exchange, AsyncCallback callback) {
    try {
      if (handoverPoint.gate.enter(timeout)) {
        try {
          HandoverConsumer consumer = handoverPoint.consumer;
          // null after a forced stop, which does not wait for the gate
          if (consumer != null) {
            return consumer.getAsyncProcessor().process(exchange, callback);
          }
        } finally {
          handoverPoint.gate.exit();
        }
      }
      exchange.setException(
          new IllegalStateException(
              "No running route consumes from " + getEndpoint() + "; waited " + timeout + " ms"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      exchange.setException(e);
    }
    callback.done(true);
    return true;
  }
}
