// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.time.Moment;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sets the body to the list of missed events, as synthetic events (docs/contract.md#outages).
 *
 * <p>Expects an {@link AsteriskQuery} in the body.
 */
public final class FindMissedEvents implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(FindMissedEvents.class);

  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final Subscriptions subscriptions;
  private final StasisApplications applications;
  private final Gap gap;
  private final Resync resync;
  private final SyntheticEventLog syntheticEventLog;
  private final InFlightEvents inFlightEvents;
  private final Counter syntheticEvents;
  private final Counter discoveredChannels;
  private String lastStartupTime = "";
  private int lateEvents;

  /**
   * @param subscriptions with the event filters that also apply to synthetic events
   * @param applications the proxy's Stasis applications
   */
  public FindMissedEvents(
      CallContexts callContexts,
      CallContextRules rules,
      Subscriptions subscriptions,
      StasisApplications applications,
      Gap gap,
      Resync resync,
      SyntheticEventLog syntheticEventLog,
      InFlightEvents inFlightEvents,
      MeterRegistry meters) {
    this.inFlightEvents = inFlightEvents;
    this.callContexts = callContexts;
    this.rules = rules;
    this.subscriptions = subscriptions;
    this.applications = applications;
    this.gap = gap;
    this.resync = resync;
    this.syntheticEventLog = syntheticEventLog;
    this.syntheticEvents = Meters.EVENTS_SYNTHESIZED.counter(meters);
    this.discoveredChannels = Meters.RESYNC_CHANNELS_DISCOVERED.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    // the store is written after the synthetic events are acknowledged
    inFlightEvents.add(exchange);
    AsteriskQuery query = exchange.getMessage().getBody(AsteriskQuery.class);
    Findings findings = query.take();
    Reconciler reconciler =
        new Reconciler(
            callContexts,
            rules,
            applications.own(),
            query.applicationByCall(),
            findings,
            query.activeCalls(),
            gap);
    List<MappedEvent> missedEvents = withoutHidden(reconciler.missedEvents(), subscriptions);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new MessageCompletion() {
              @Override
              public void onDone(Exchange published) {
                query.releaseReported();
              }
            });
    query.askAgain(reconciler.outdated());
    missedEvents.forEach(event -> syntheticEventLog.record(event.event()));
    syntheticEvents.increment(missedEvents.size());
    discoveredChannels.increment(count(missedEvents, "StasisStart"));
    if (findings.late()) {
      lateEvents += missedEvents.size();
    } else {
      lateEvents = 0;
      logSummary(findings, missedEvents);
    }
    logRestart(findings.startupTime());
    if (resync.endIfComplete(query, findings.asteriskId())) {
      gap.end();
      if (findings.late()) {
        LOG.info(
            "Resync complete {} ms after the connect: {} events published late",
            Moment.now().since(findings.connectedAt()).toMillis(),
            lateEvents);
      }
    }
    exchange.getMessage().setBody(missedEvents);
  }

  /** Removes events of types that Asterisk would not send because of an event filter. */
  static List<MappedEvent> withoutHidden(List<MappedEvent> events, Subscriptions subscriptions) {
    return events.stream()
        .filter(
            event ->
                // not a type of Asterisk's, which a filter could allow
                event.type().equals("AriConnectionRestored")
                    || !subscriptions.hides(event.event().application(), event.type()))
        .toList();
  }

  private void logSummary(Findings findings, List<MappedEvent> missedEvents) {
    if (missedEvents.isEmpty()) {
      return;
    }
    long activeCalls = count(missedEvents, "AriConnectionRestored");
    long enteredChannels = count(missedEvents, "StasisStart");
    Moment gapStart = gap.start();
    LOG.info(
        "Resync after a gap of {}: {} calls active, {} channels entered Stasis, {} end events "
            + "published",
        gapStart == null
            ? "unknown length"
            : findings.connectedAt().since(gapStart).toMillis() + " ms",
        activeCalls,
        enteredChannels,
        missedEvents.size() - activeCalls - enteredChannels);
  }

  private void logRestart(String startupTime) {
    if (startupTime.isEmpty()) {
      return;
    }
    if (!lastStartupTime.isEmpty() && !lastStartupTime.equals(startupTime)) {
      LOG.warn("Asterisk restarted at {}: its previous state is lost", startupTime);
    }
    lastStartupTime = startupTime;
  }

  private static long count(List<MappedEvent> events, String type) {
    return events.stream().filter(event -> event.type().equals(type)).count();
  }
}
