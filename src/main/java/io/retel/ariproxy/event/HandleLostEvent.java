// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.kafka.OutgoingRecord;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.RateLimitFilter;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.route.AddedSteps;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and logs an event that Kafka will never accept.
 *
 * <p>A forced shutdown loses many events for the same reason, so they are logged in one line at the
 * end.
 */
public final class HandleLostEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleLostEvent.class);

  private final Counter lost;
  private volatile @Nullable Exception shutdownCause;

  public HandleLostEvent(MeterRegistry meters) {
    this.lost = Meters.EVENTS_LOST.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    count(exchange, exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
  }

  /** Counts an event whose envelope is the body of the exchange, with its copies as one. */
  void count(Exchange exchange, @Nullable Exception cause) {
    lost.increment();
    CamelContext context = exchange.getContext();
    if (context.isStopping() || context.isStopped()) {
      shutdownCause = cause;
      return;
    }
    Optional<String> step = AddedSteps.failed(exchange);
    if (step.isPresent()) {
      LOG.error(
          RateLimitFilter.PER_MESSAGE,
          "Event not published: call context {}, {} failed: {}; correct the step, or catch its"
              + " errors in the route",
          exchange.getProperty(ExchangeContext.CALL_CONTEXT),
          step.get(),
          ErrorMessages.ofStep(cause));
      return;
    }
    LOG.error(
        RateLimitFilter.PER_MESSAGE,
        "Event not published: call context {}, {} bytes, {}; check that Kafka is up, the topic's"
            + " max.message.bytes and the proxy's ACLs on it",
        exchange.getProperty(ExchangeContext.CALL_CONTEXT),
        OutgoingRecord.size(exchange),
        String.valueOf(cause));
  }

  /**
   * Logs the events lost by a shutdown. Call after the routes have stopped.
   *
   * @param count number of events that Kafka has not acknowledged
   */
  public void logLostOnShutdown(int count) {
    if (count > 0) {
      LOG.error(
          "{} events lost on shutdown: Kafka did not acknowledge them within"
              + " ari-proxy.shutdown-timeout ({}); check that Kafka is up before the next stop",
          count,
          shutdownCause == null ? "still in flight" : shutdownCause.toString());
    }
  }
}
