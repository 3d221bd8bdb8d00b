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
public final class KeepEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(KeepEvent.class);

  private final String asterisk;
  private final Runnable onReplaced;
  private final Counter kept;

  /**
   * @param asterisk where ARI is, for who has to look for another client
   * @param onReplaced stops the proxy: to connect again would throw the other client out
   */
  public KeepEvent(String asterisk, Runnable onReplaced, MeterRegistry meters) {
    this.asterisk = asterisk;
    this.onReplaced = onReplaced;
    this.kept = Meters.EVENTS_KEPT.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    kept.increment();
    AriEvent event = (AriEvent) exchange.getMessage().getBody();
    if (event.type().equals("ApplicationReplaced")) {
      LOG.error(
          "Another client of {} has taken over the Stasis application {} and gets its events from now"
              + " on: this proxy stops. Look for a second ari-proxy with the same ari.app, or whoever"
              + " else is connected to Asterisk's HTTP port; then start this one again",
          asterisk,
          event.json().path("application").asText());
      onReplaced.run();
    }
  }
}
