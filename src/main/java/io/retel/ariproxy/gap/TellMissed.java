package io.retel.ariproxy.gap;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.metrics.Meters;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.service.ServiceHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each of the events that were missed through the route {@code missed}, one after the other
 * and before those that come now; and does not wait for Kafka between them, as nobody does between
 * Asterisk's own.
 */
public final class TellMissed implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(TellMissed.class);

  /** It waits only as long as an exchange of that route takes. */
  private static final String ROUTE = "handover:missed?timeout=5000";

  private final Counter lost;
  private AsyncProducer producer;
  private ExecutorService executor;

  public TellMissed(MeterRegistry meters) {
    this.lost = Meters.EVENTS_LOST.in(meters);
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    @SuppressWarnings("unchecked")
    List<MappedEvent> missed = (List<MappedEvent>) exchange.getMessage().getBody();
    if (missed.isEmpty()) {
      return;
    }
    CamelContext context = exchange.getContext();
    prepare(context);
    // on a thread that runs no route: on this one Camel would put off the steps of the other route
    // until this one's are through, and take the last event first
    executor.submit(() -> missed.forEach(event -> tell(context, event))).get();
  }

  private void tell(CamelContext context, MappedEvent event) {
    Exchange own = new DefaultExchange(context);
    own.getMessage().setBody(event);
    AtWork.label(own, event.callContext(), null, event.resources());
    producer.process(own, doneSync -> AtWork.on(own, () -> countIfNotTaken(own, event)));
  }

  /** What fails in the route is counted there. */
  private void countIfNotTaken(Exchange own, MappedEvent event) {
    if (own.getException() != null && own.getMessage().getBody() == event) {
      lost.increment();
      LOG.error(
          "{} of call context {} was missed and is not published: {}; the route missed must run",
          event.type(),
          event.callContext(),
          own.getException().getMessage());
    }
  }

  private void prepare(CamelContext context) throws Exception {
    if (producer == null) {
      executor = context.getExecutorServiceManager().newSingleThreadExecutor(this, "tell-missed");
      producer = context.getEndpoint(ROUTE).createAsyncProducer();
      ServiceHelper.startService(producer);
    }
  }
}
