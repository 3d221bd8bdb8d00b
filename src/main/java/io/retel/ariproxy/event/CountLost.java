package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts an event that Kafka will never take, and says why. */
public final class CountLost implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(CountLost.class);

  private final Counter lost;

  public CountLost(MeterRegistry meters) {
    this.lost = Meters.EVENTS_LOST.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    count(exchange, exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class));
  }

  /** Counts an event whose envelope the exchange has. */
  void count(Exchange exchange, Exception cause) {
    lost.increment();
    byte[] body = exchange.getMessage().getBody(byte[].class);
    LOG.error(
        "An event of call context {} ({} bytes) was not published: {}; check that Kafka is there, the"
            + " topic's max.message.bytes and the proxy's rights on it",
        exchange.getMessage().getHeader(KafkaConstants.KEY),
        body == null ? 0 : body.length,
        String.valueOf(cause));
  }
}
