// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Stops and counts an event that duplicates a synthetic one. */
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
