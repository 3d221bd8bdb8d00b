package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.RootCause;
import io.retel.ariproxy.gap.LookAgain;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts a connect at which Asterisk did not tell what is there, and lets it be asked again. */
public final class CountNotTold implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(CountNotTold.class);

  private final LookAgain lookAgain;
  private final Counter notTold;

  /**
   * @param lookAgain asks once more, later
   */
  public CountNotTold(MeterRegistry meters, LookAgain lookAgain) {
    this.lookAgain = lookAgain;
    this.notTold = Meters.CHANNELS_NOT_TOLD.in(meters);
  }

  @Override
  public void process(Exchange exchange) {
    notTold.increment();
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        "What was missed is not made up for yet, since Asterisk does not answer: {}; it is asked again"
            + " after {} s. If this goes on, check ari.url and that the proxy's user of ari.conf may read",
        RootCause.inOneLine(cause),
        LookAgain.AFTER.toSeconds());
    lookAgain.soon();
  }
}
