package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.ari.AriEvent;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes what Asterisk tells the proxy alone: it is counted, and no call-controller gets it. */
public final class KeepEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(KeepEvent.class);

  private final Counter kept;

  public KeepEvent(MeterRegistry meters) {
    this.kept = Meters.EVENTS_KEPT.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    kept.increment();
    AriEvent event = (AriEvent) exchange.getMessage().getBody();
    if (event.type().equals("ApplicationReplaced")) {
      LOG.error(
          "Another client has connected as the Stasis application {}, and gets its events from now on;"
              + " find it, then start this proxy again",
          event.json().path("application").asText());
    }
  }
}
