// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.EventType;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.TaggedMeters;
import io.retel.ariproxy.text.LogText;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Resolves the call context of an {@link AriEvent}, yielding a {@link MappedEvent}. */
public final class ResolveCallContext implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(ResolveCallContext.class);

  private static final String NO_RESOURCE = "NONE";
  private static final String OTHER = "Other";

  /** The metric tags of an event. */
  private record MeterTags(String eventType, String resourceType) {

    static MeterTags of(MappedEvent event) {
      return new MeterTags(
          EventType.isKnown(event.type()) ? event.type() : OTHER,
          event.resources().isEmpty() ? NO_RESOURCE : event.resources().get(0).type().name());
    }
  }

  private final CallContextRules rules;
  private final Counter unmapped;
  private final Counter longIds;
  private final Counter ignoredIds;
  private final TaggedMeters<MeterTags, Counter> events;
  private final InFlightEvents inFlight;

  public ResolveCallContext(CallContextRules rules, MeterRegistry meters, InFlightEvents inFlight) {
    this.rules = rules;
    this.inFlight = inFlight;
    this.unmapped = Meters.EVENTS_UNMAPPED.counter(meters);
    this.longIds = Meters.EVENTS_LONG_IDS.counter(meters);
    this.ignoredIds = Meters.EVENTS_IGNORED_IDS.counter(meters);
    this.events =
        new TaggedMeters<>(
            tags ->
                Meters.EVENTS.counter(
                    meters, EventType.envelopeName(tags.eventType()), tags.resourceType()),
            new MeterTags(OTHER, NO_RESOURCE));
  }

  @Override
  public void process(Exchange exchange) {
    inFlight.add(exchange);
    AriEvent event = (AriEvent) exchange.getMessage().getBody();
    if (event.hasLongId()) {
      longIds.increment();
      LOG.warn(
          RateLimitFilter.PER_MESSAGE,
          "Id or call context of more than {} characters ignored in {}; check the dialplan",
          Resource.MAX_ID_LENGTH,
          LogText.abbreviate(event.type()));
    }
    if (event.ignoredIds() > 0) {
      ignoredIds.increment(event.ignoredIds());
      LOG.warn(
          RateLimitFilter.PER_MESSAGE,
          "More than {} ids in {}: {} ignored; check that ari.url is your Asterisk",
          AriEvent.MAX_LISTED_IDS,
          LogText.abbreviate(event.type()),
          event.ignoredIds());
    }
    MappedEvent mapped = rules.map(event);
    events.get(MeterTags.of(mapped)).increment();
    if (mapped.unmapped()) {
      inFlight.exclude(exchange);
      unmapped.increment();
    }
    ExchangeContext.tag(exchange, mapped.callContext(), null, mapped.resources());
    exchange.getMessage().setBody(mapped);
  }
}
