package io.retel.ariproxy.gap;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Ends the way of an event that says what has been told already, and counts it. */
public final class SkipTold implements Processor {

  private final Told told;
  private final Counter toldBefore;

  public SkipTold(Told told, MeterRegistry meters) {
    this.told = told;
    this.toldBefore = Meters.EVENTS_TOLD_BEFORE.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    if (told.wasTold((AriEvent) exchange.getMessage().getBody())) {
      toldBefore.increment();
      exchange.setRouteStop(true);
    }
  }
}
