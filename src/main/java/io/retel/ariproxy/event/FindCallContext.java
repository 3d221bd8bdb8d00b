package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.logging.AtWork;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Makes the {@link AriEvent} a {@link MappedEvent}. */
public final class FindCallContext implements Processor {

  private final CallContextRules rules;
  private final Counter unmapped;
  private final EventsUnderWay underWay;

  public FindCallContext(CallContextRules rules, MeterRegistry meters, EventsUnderWay underWay) {
    this.rules = rules;
    this.underWay = underWay;
    this.unmapped = Meters.EVENTS_UNMAPPED.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    underWay.begin(exchange);
    MappedEvent mapped = rules.map((AriEvent) exchange.getMessage().getBody());
    if (mapped.unmapped()) {
      unmapped.increment();
    }
    AtWork.label(exchange, mapped.callContext(), null, mapped.resources());
    exchange.getMessage().setBody(mapped);
  }
}
