package io.retel.ariproxy.event;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ErrorMessages;
import io.retel.ariproxy.gap.ResyncRetry;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts a connect at which Asterisk did not tell what is there, and lets it be asked again. */
public final class HandleResyncFailure implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleResyncFailure.class);

  private final ResyncRetry resyncRetry;
  private final Counter failures;

  /**
   * @param lookAgain asks once more, later
   */
  public HandleResyncFailure(MeterRegistry meters, ResyncRetry resyncRetry) {
    this.resyncRetry = resyncRetry;
    this.failures = Meters.RESYNC_FAILURES.counter(meters);
  }

  @Override
  public void process(Exchange exchange) {
    failures.increment();
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        "What was missed is not made up for yet, since Asterisk does not answer: {}; it is asked again"
            + " after {} s. If this goes on, check ari.url and that the proxy's user of ari.conf may read",
        ErrorMessages.singleLine(cause),
        ResyncRetry.DELAY.toSeconds());
    resyncRetry.schedule();
  }
}
