package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Ends the way of an event that no call-controller wants, and counts it. For routes that are edited
 * to choose such events: it stands behind {@link ResolveCallContext}, which learns from every
 * event.
 */
public final class DropEvent implements Processor {

  private final Counter dropped;

  public DropEvent(MeterRegistry meters) {
    this.dropped = Meters.EVENTS_DROPPED.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    dropped.increment();
    exchange.setRouteStop(true);
  }
}
