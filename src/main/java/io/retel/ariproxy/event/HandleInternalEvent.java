// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Counts events that concern only the proxy; they are not published. */
public final class HandleInternalEvent implements Processor {

  private final Counter internalEvents;

  public HandleInternalEvent(MeterRegistry meters) {
    this.internalEvents = Meters.EVENTS_INTERNAL.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    internalEvents.increment();
  }
}
