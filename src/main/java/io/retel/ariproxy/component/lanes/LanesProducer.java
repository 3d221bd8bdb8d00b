package io.retel.ariproxy.component.lanes;

import org.apache.camel.Exchange;
import org.apache.camel.support.DefaultProducer;
import org.apache.camel.support.ExchangeHelper;

/**
 * Puts a message into the lane of its key and returns at once; the completions of the exchange go
 * along with it, so that they run when the work is done and not when it is queued.
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
    lanes.put(key, ExchangeHelper.createCorrelatedCopy(exchange, true));
  }
}
