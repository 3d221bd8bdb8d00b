// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.route.BlockedStepMonitor;
import io.retel.ariproxy.time.Moment;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.service.ServiceHelper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends each synthetic event through the route {@code publish-missed-events}, in order and before
 * newer events. Like events from Asterisk, they do not wait for each other's acknowledgement.
 */
public final class PublishMissedEvents implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(PublishMissedEvents.class);

  /** The timeout bounds the wait for a replacement of that route. */
  private static final String ENDPOINT_URI = "handover:publish-missed-events?timeout=5000";

  private final Counter lostEvents;
  private @Nullable AsyncProducer producer;
  private @Nullable ExecutorService executor;

  /** The event that enters the route, for a monitor. */
  private volatile @Nullable Publishing publishing;

  /** An event that enters the route, and since when. */
  private record Publishing(Exchange exchange, Moment since) {}

  public PublishMissedEvents(MeterRegistry meters) {
    this.lostEvents = Meters.EVENTS_LOST.counter(meters);
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    @SuppressWarnings("unchecked")
    List<MappedEvent> missedEvents = (List<MappedEvent>) exchange.getMessage().getBody();
    if (missedEvents.isEmpty()) {
      return;
    }
    CamelContext context = exchange.getContext();
    AsyncProducer target = producer(context);
    // on a separate thread: on a thread that runs a route, Camel would defer the other route's
    // steps until this route is done, and then start with the last event
    executor(context)
        .submit(() -> missedEvents.forEach(event -> publish(target, context, event)))
        .get();
  }

  private void publish(AsyncProducer target, CamelContext context, MappedEvent event) {
    Exchange eventExchange = new DefaultExchange(context);
    eventExchange.getMessage().setBody(event);
    ExchangeContext.tag(eventExchange, event.callContext(), null, event.resources());
    publishing = new Publishing(eventExchange, Moment.now());
    try {
      target.process(
          eventExchange,
          doneSync ->
              ExchangeContext.runWith(eventExchange, () -> countIfLost(eventExchange, event)));
    } finally {
      publishing = null;
    }
  }

  /** Returns the event for which all others wait; empty if no synthetic one enters the route. */
  public Optional<BlockedStepMonitor.Current> current() {
    Publishing event = publishing;
    return event == null
        ? Optional.empty()
        : Optional.of(
            new BlockedStepMonitor.Current(event.exchange(), Moment.now().since(event.since())));
  }

  /** Counts an event that did not enter the route; later failures are counted there. */
  private void countIfLost(Exchange eventExchange, MappedEvent event) {
    if (eventExchange.getException() != null && eventExchange.getMessage().getBody() == event) {
      lostEvents.increment();
      LOG.error(
          RateLimitFilter.PER_MESSAGE,
          "Synthetic {} of call context {} lost: {}; the route publish-missed-events must run",
          event.type(),
          event.callContext(),
          eventExchange.getException().getMessage());
    }
  }

  private AsyncProducer producer(CamelContext context) throws Exception {
    if (producer == null) {
      producer = context.getEndpoint(ENDPOINT_URI).createAsyncProducer();
      ServiceHelper.startService(producer);
    }
    return producer;
  }

  private ExecutorService executor(CamelContext context) {
    if (executor == null) {
      executor =
          context.getExecutorServiceManager().newSingleThreadExecutor(this, "publish-missed");
    }
    return executor;
  }
}
