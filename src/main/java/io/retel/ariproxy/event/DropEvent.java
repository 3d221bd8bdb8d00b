// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Drops an event and counts it.
 *
 * <p>For edited routes that filter events. Must follow {@link ResolveCallContext}, which updates
 * mappings from every event.
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

  /** Counts an event that a {@code stop} step has ended. */
  public void countStopped() {
    dropped.increment();
  }
}
