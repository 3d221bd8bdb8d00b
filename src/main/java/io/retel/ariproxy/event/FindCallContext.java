package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.EventType;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.Tagged;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Makes the {@link AriEvent} a {@link MappedEvent}. */
public final class FindCallContext implements Processor {

  private static final String NO_RESOURCE = "NONE";

  /** What an event is counted by. */
  private record Kind(String eventType, String resourceType) {

    static Kind of(MappedEvent event) {
      return new Kind(
          event.type(),
          event.resources().isEmpty() ? NO_RESOURCE : event.resources().get(0).type().name());
    }
  }

  private final CallContextRules rules;
  private final Counter unmapped;
  private final Tagged<Kind, Counter> events;
  private final EventsUnderWay underWay;

  public FindCallContext(CallContextRules rules, MeterRegistry meters, EventsUnderWay underWay) {
    this.rules = rules;
    this.underWay = underWay;
    this.unmapped = Meters.EVENTS_UNMAPPED.in(meters);
    this.events =
        new Tagged<>(
            kind ->
                Meters.EVENTS.in(
                    meters, EventType.envelopeName(kind.eventType()), kind.resourceType()),
            new Kind("Other", NO_RESOURCE));
  }

  @Override
  public void process(Exchange exchange) {
    underWay.begin(exchange);
    MappedEvent mapped = rules.map((AriEvent) exchange.getMessage().getBody());
    events.with(Kind.of(mapped)).increment();
    if (mapped.unmapped()) {
      unmapped.increment();
    }
    AtWork.label(exchange, mapped.callContext(), null, mapped.resources());
    exchange.getMessage().setBody(mapped);
  }
}
