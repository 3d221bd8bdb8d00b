// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts and logs a websocket message that is not an ARI event; it belongs to no call. */
public final class HandleMalformedEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleMalformedEvent.class);

  private final Counter malformed;

  public HandleMalformedEvent(MeterRegistry meters) {
    this.malformed = Meters.EVENTS_MALFORMED.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    malformed.increment();
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        RateLimitFilter.PER_MESSAGE,
        "Malformed websocket message not published: {}; check that ari.url points to Asterisk",
        cause.getMessage());
  }
}
