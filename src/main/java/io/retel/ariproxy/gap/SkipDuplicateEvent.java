package io.retel.ariproxy.gap;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Ends the way of an event that says what has been told already, and counts it. */
public final class SkipDuplicateEvent implements Processor {

  private final SyntheticEventLog syntheticEventLog;
  private final Counter duplicateEvents;

  public SkipDuplicateEvent(SyntheticEventLog syntheticEventLog, MeterRegistry meters) {
    this.syntheticEventLog = syntheticEventLog;
    this.duplicateEvents = Meters.EVENTS_DUPLICATES.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    if (syntheticEventLog.consumeIfDuplicate((AriEvent) exchange.getMessage().getBody())) {
      duplicateEvents.increment();
      exchange.setRouteStop(true);
    }
  }
}
