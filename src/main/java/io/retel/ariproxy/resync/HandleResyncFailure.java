// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.error.ErrorMessages;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs findings of a resync that were not published, and schedules another resync. */
public final class HandleResyncFailure implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(HandleResyncFailure.class);

  private final Resync resync;

  public HandleResyncFailure(Resync resync) {
    this.resync = resync;
  }

  @Override
  public void process(Exchange exchange) {
    Exception cause = exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    LOG.warn(
        "Resync failed: {}; retrying in {} s. The routes resync and publish-missed-events must run",
        ErrorMessages.singleLine(cause),
        resync.retry().toSeconds());
  }
}
