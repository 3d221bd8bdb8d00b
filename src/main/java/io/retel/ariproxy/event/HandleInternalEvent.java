// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts events that concern only the proxy; they are not published. */
public final class HandleInternalEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleInternalEvent.class);

  private final String ariUrl;
  private final StasisApplications applications;
  private final Runnable onReplaced;
  private final Counter internalEvents;

  /**
   * @param ariUrl the ARI url, for the log
   * @param onReplaced stops the proxy once it has lost all applications: reconnecting would
   *     disconnect the other client
   */
  public HandleInternalEvent(
      String ariUrl, StasisApplications applications, Runnable onReplaced, MeterRegistry meters) {
    this.ariUrl = ariUrl;
    this.applications = applications;
    this.onReplaced = onReplaced;
    this.internalEvents = Meters.EVENTS_INTERNAL.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    internalEvents.increment();
    AriEvent event = (AriEvent) exchange.getMessage().getBody();
    if (event.type().equals("ApplicationReplaced")) {
      onReplaced(event.application());
    }
  }

  private void onReplaced(String application) {
    if (applications.lose(application)) {
      LOG.error(
          "Another client of {} has taken over the Stasis application {}; continuing with {}. Stop"
              + " the other client, then invoke reclaim (JMX) or restart",
          ariUrl,
          application,
          String.join(",", applications.own()));
      return;
    }
    LOG.error(
        "Another client of {} has taken over the Stasis application {}; stopping. Stop the second"
            + " ari-proxy with this ari.app, or the other ARI client, then restart",
        ariUrl,
        application);
    onReplaced.run();
  }
}
