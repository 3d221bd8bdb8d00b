package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts a connect at which Asterisk did not tell its channels, and says what follows from it. */
public final class CountNotTold implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(CountNotTold.class);

  private final Counter notTold;

  public CountNotTold(MeterRegistry meters) {
    this.notTold = Meters.CHANNELS_NOT_TOLD.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    notTold.increment();
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        "Asterisk did not tell its channels: {}; events of those that this proxy does not know are"
            + " unmapped. Check that its user of ari.conf may read",
        cause.getMessage());
  }
}
