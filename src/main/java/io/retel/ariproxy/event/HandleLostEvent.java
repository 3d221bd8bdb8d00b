package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts an event that Kafka will never take, and says why. In a stop that is forced they are many,
 * and all for one reason: that is said at the end, in one line.
 */
public final class HandleLostEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleLostEvent.class);

  private final Counter lost;
  private volatile Exception shutdownCause;

  public HandleLostEvent(MeterRegistry meters) {
    this.lost = Meters.EVENTS_LOST.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    count(exchange, exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
  }

  /** Counts an event whose envelope the exchange has. */
  void count(Exchange exchange, Exception cause) {
    lost.increment();
    CamelContext context = exchange.getContext();
    if (context.isStopping() || context.isStopped()) {
      shutdownCause = cause;
      return;
    }
    byte[] body = exchange.getMessage().getBody(byte[].class);
    LOG.error(
        "An event of call context {} ({} bytes) was not published: {}; check that Kafka is there, the"
            + " topic's max.message.bytes and the proxy's rights on it",
        exchange.getProperty(ExchangeContext.CALL_CONTEXT),
        body == null ? 0 : body.length,
        String.valueOf(cause));
  }

  /**
   * To be called when the routes have been stopped.
   *
   * @param count how many events Kafka has not acknowledged
   */
  public void logLostOnShutdown(int count) {
    if (count > 0) {
      LOG.error(
          "{} events that were read are lost: Kafka did not take them within"
              + " ari-proxy.shutdown-timeout ({}). Check that Kafka is there before the next stop",
          count,
          shutdownCause == null ? "they were under way" : shutdownCause.toString());
    }
  }
}
