package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes what Asterisk tells the proxy alone: it is counted, and no call-controller gets it. */
public final class HandleInternalEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleInternalEvent.class);

  private final String ariUrl;
  private final Runnable onReplaced;
  private final Counter internalEvents;

  /**
   * @param asterisk where ARI is, for who has to look for another client
   * @param onReplaced stops the proxy: to connect again would throw the other client out
   */
  public HandleInternalEvent(String ariUrl, Runnable onReplaced, MeterRegistry meters) {
    this.ariUrl = ariUrl;
    this.onReplaced = onReplaced;
    this.internalEvents = Meters.EVENTS_INTERNAL.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    internalEvents.increment();
    AriEvent event = (AriEvent) exchange.getMessage().getBody();
    if (event.type().equals("ApplicationReplaced")) {
      LOG.error(
          "Another client of {} has taken over the Stasis application {} and gets its events from now"
              + " on: this proxy stops. Look for a second ari-proxy with the same ari.app, or whoever"
              + " else is connected to Asterisk's HTTP port; then start this one again",
          ariUrl,
          event.json().path("application").asText());
      onReplaced.run();
    }
  }
}
