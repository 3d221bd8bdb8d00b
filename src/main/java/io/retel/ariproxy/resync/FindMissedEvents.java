// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.metrics.Meters;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets the body to the list of missed events, as synthetic events (docs/contract.md#outages).
 *
 * <p>Expects Asterisk's responses in {@link ResyncProperties}.
 */
public final class FindMissedEvents implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(FindMissedEvents.class);

  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final List<String> applications;
  private final Gap gap;
  private final SyntheticEventLog syntheticEventLog;
  private final InFlightEvents inFlightEvents;
  private final Counter syntheticEvents;
  private final Counter discoveredChannels;
  private String lastStartupTime = "";

  /**
   * @param applications the proxy's Stasis applications
   */
  public FindMissedEvents(
      CallContexts callContexts,
      CallContextRules rules,
      List<String> applications,
      Gap gap,
      SyntheticEventLog syntheticEventLog,
      InFlightEvents inFlightEvents,
      MeterRegistry meters) {
    this.inFlightEvents = inFlightEvents;
    this.callContexts = callContexts;
    this.rules = rules;
    this.applications = List.copyOf(applications);
    this.gap = gap;
    this.syntheticEventLog = syntheticEventLog;
    this.syntheticEvents = Meters.EVENTS_SYNTHESIZED.counter(meters);
    this.discoveredChannels = Meters.RESYNC_CHANNELS_DISCOVERED.counter(meters);
  }

  @Override
  public void process(Exchange exchange) throws JsonProcessingException {
    // the store is written after the synthetic events are acknowledged
    inFlightEvents.add(exchange);
    AsteriskSnapshot snapshot =
        AsteriskSnapshot.read(
            stringProperty(exchange, ResyncProperties.ASTERISK),
            stringProperty(exchange, ResyncProperties.APPLICATIONS),
            stringProperty(exchange, ResyncProperties.CHANNELS),
            stringProperty(exchange, ResyncProperties.BRIDGES));
    ResyncContext resync = ResyncContext.from(exchange);
    Gap.Span span = gap.span();
    List<MappedEvent> missedEvents =
        new Reconciler(callContexts, rules, applications, resync, snapshot).missedEvents(span);
    gap.end();
    missedEvents.forEach(event -> syntheticEventLog.record(event.event()));
    syntheticEvents.increment(missedEvents.size());
    discoveredChannels.increment(count(missedEvents, "StasisStart"));
    logSummary(span, resync, missedEvents);
    if (!lastStartupTime.isEmpty() && !lastStartupTime.equals(snapshot.startupTime())) {
      LOG.warn("Asterisk restarted at {}: its previous state is lost", snapshot.startupTime());
    }
    lastStartupTime = snapshot.startupTime();
    exchange.getMessage().setBody(missedEvents);
  }

  private static void logSummary(
      Gap.Span span, ResyncContext resync, List<MappedEvent> missedEvents) {
    if (missedEvents.isEmpty()) {
      return;
    }
    long activeCalls = count(missedEvents, "AriConnectionRestored");
    long enteredChannels = count(missedEvents, "StasisStart");
    LOG.info(
        "Resync after a gap of {}: {} calls active, {} channels entered Stasis, {} end events "
            + "published",
        span.start() == null
            ? "unknown length"
            : resync.connectedAt().since(span.start()).toMillis() + " ms",
        activeCalls,
        enteredChannels,
        missedEvents.size() - activeCalls - enteredChannels);
  }

  private static long count(List<MappedEvent> events, String type) {
    return events.stream().filter(event -> event.type().equals(type)).count();
  }

  private static String stringProperty(Exchange exchange, String name) {
    return exchange.getProperty(name, String.class);
  }
}
