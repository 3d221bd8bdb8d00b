// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.config.EventResourcesFormat;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.metrics.Meters;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each event is counted once, by its outcome. */
class BuildEventEnvelopeTest {

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());

  @BeforeEach
  void buildEnvelope() {
    AriEvent event = AriEvent.parse("{\"type\":\"StasisEnd\"}");
    exchange.getMessage().setBody(new MappedEvent(event, "call", List.of()));
    new BuildEventEnvelope(
            new Envelopes("commands", EventResourcesFormat.ARRAY),
            meters,
            new HandleLostEvent(meters),
            new InFlightEvents(),
            new PayloadLog(new PayloadMasker(true)))
        .process(exchange);
  }

  @Test
  void countsAcknowledgedEventAsPublished() {
    complete();
    assertCounts(1, 0);
  }

  @Test
  void countsUnhandledFailureAsLost() {
    exchange.setException(new IllegalStateException("Producer is closed forcefully"));
    complete();
    assertCounts(0, 1);
  }

  @Test
  void doesNotCountHandledFailure() {
    exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new IllegalStateException("too large"));
    complete();
    assertCounts(0, 0);
  }

  private void complete() {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }

  private void assertCounts(int published, int lost) {
    assertThat(Meters.EVENTS_PUBLISHED.counter(meters).count()).isEqualTo(published);
    assertThat(Meters.EVENTS_LOST.counter(meters).count()).isEqualTo(lost);
  }
}
