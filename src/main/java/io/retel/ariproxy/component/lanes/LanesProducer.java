// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import io.retel.ariproxy.component.MessageCompletion;
import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultProducer;

/**
 * Queues a message in the lane of its key and returns immediately. The exchange's completions move
 * to the copy, so they run when the message is processed, not when it is queued.
 */
class LanesProducer extends DefaultProducer {

  private final Lanes<Exchange> lanes;

  LanesProducer(LanesEndpoint endpoint, Lanes<Exchange> lanes) {
    super(endpoint);
    this.lanes = lanes;
  }

  @Override
  public void process(Exchange exchange) {
    String lane = exchange.getProperty(LanesConstants.LANE, String.class);
    String key = lane != null ? "lane:" + lane : "own:" + exchange.getExchangeId();
    String group = exchange.getProperty(LanesConstants.GROUP, String.class);
    lanes.put(key, group, MessageCompletion.move(exchange));
    ((LanesComponent) getEndpoint().getComponent()).retryFailedStarts();
  }
}
