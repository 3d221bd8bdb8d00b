package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.envelope.Envelopes.EventResourcesForm;
import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.metrics.Meters;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An event is counted once, as what has become of it. */
class WrapEventTest {

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final Exchange exchange = new DefaultExchange(new DefaultCamelContext());

  @BeforeEach
  void wrap() {
    AriEvent event = AriEvent.parse("{\"type\":\"StasisEnd\"}");
    exchange.getMessage().setBody(new MappedEvent(event, "call", List.of()));
    new WrapEvent(
            new Envelopes("commands", EventResourcesForm.ARRAY),
            meters,
            new CountLost(meters),
            new EventsUnderWay(),
            new PayloadLog(new Mask(true)))
        .process(exchange);
  }

  @Test
  void oneThatIsAcknowledgedIsPublished() {
    done();
    assertCounts(1, 0);
  }

  @Test
  void oneThatFailsWhereNothingHandlesItIsLost() {
    exchange.setException(new IllegalStateException("Producer is closed forcefully"));
    done();
    assertCounts(0, 1);
  }

  @Test
  void oneWhoseFailureIsHandledIsNotPublished() {
    exchange.setProperty(Exchange.EXCEPTION_CAUGHT, new IllegalStateException("too large"));
    done();
    assertCounts(0, 0);
  }

  private void done() {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }

  private void assertCounts(int published, int lost) {
    assertThat(Meters.EVENTS_PUBLISHED.in(meters).count()).isEqualTo(published);
    assertThat(Meters.EVENTS_LOST.in(meters).count()).isEqualTo(lost);
  }
}
