package io.retel.ariproxy.gap;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.event.EventsUnderWay;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the message the list of the events that were missed (contract.md section 5).
 *
 * <p>Expects what Asterisk says in the properties {@code asterisk}, {@code applications} and {@code
 * channels}, and its bridges in the property {@code bridges}.
 */
public final class Compare implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(Compare.class);

  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final List<String> applications;
  private final Gap gap;
  private final Told told;
  private final EventsUnderWay underWay;
  private final Counter synthesized;
  private final Counter found;
  private String startupTime = "";

  /**
   * @param applications the proxy's Stasis applications
   */
  public Compare(
      CallContexts callContexts,
      CallContextRules rules,
      List<String> applications,
      Gap gap,
      Told told,
      EventsUnderWay underWay,
      MeterRegistry meters) {
    this.underWay = underWay;
    this.callContexts = callContexts;
    this.rules = rules;
    this.applications = List.copyOf(applications);
    this.gap = gap;
    this.told = told;
    this.synthesized = Meters.EVENTS_SYNTHESIZED.in(meters);
    this.found = Meters.CHANNELS_FOUND.in(meters);
  }

  @Override
  public void process(Exchange exchange) throws JsonProcessingException {
    // until each of the events that are made up for is under way itself
    underWay.begin(exchange);
    AsteriskNow now =
        AsteriskNow.read(
            said(exchange, "asterisk"),
            said(exchange, "applications"),
            said(exchange, "channels"),
            said(exchange, "bridges"));
    LookAround look = LookAround.of(exchange);
    Gap.Span span = gap.span();
    List<MappedEvent> missed =
        new Comparison(callContexts, rules, applications, look, now).missed(span);
    gap.end();
    missed.forEach(event -> told.tell(event.event()));
    synthesized.increment(missed.size());
    found.increment(count(missed, "StasisStart"));
    say(span, look, missed);
    if (!startupTime.isEmpty() && !startupTime.equals(now.startupTime())) {
      LOG.warn("Asterisk was started again at {}: what it had before is gone", now.startupTime());
    }
    startupTime = now.startupTime();
    exchange.getMessage().setBody(missed);
  }

  private static void say(Gap.Span span, LookAround look, List<MappedEvent> missed) {
    if (missed.isEmpty()) {
      return;
    }
    long alive = count(missed, "AriConnectionRestored");
    long began = count(missed, "StasisStart");
    LOG.info(
        "After {} without events: {} calls live on, {} channels have entered Stasis, {} ends were"
            + " missed; all of it is published",
        span.start() == null
            ? "a time"
            : Duration.between(span.start(), look.connected()).toMillis() + " ms",
        alive,
        began,
        missed.size() - alive - began);
  }

  private static long count(List<MappedEvent> events, String type) {
    return events.stream().filter(event -> event.type().equals(type)).count();
  }

  private static String said(Exchange exchange, String property) {
    return exchange.getProperty(property, String.class);
  }
}
