// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.metrics.Meters;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts and logs a failed resync, and schedules a retry. */
public final class HandleResyncFailure implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleResyncFailure.class);

  private final ResyncRetry resyncRetry;
  private final Counter failures;

  /**
   * @param resyncRetry retries the resync later
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
        "Resync failed: {}; retrying in {} s. If this persists, check ari.url and the permissions of"
            + " the proxy's user in ari.conf",
        ErrorMessages.singleLine(cause),
        ResyncRetry.DELAY.toSeconds());
    resyncRetry.schedule();
  }
}
