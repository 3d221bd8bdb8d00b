// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * After a connect: starts a resync and waits for its first findings. Sets the body to the {@link
 * AsteriskQuery}, or stops the route if there is none.
 */
public final class StartResync implements Processor {

  private final Resync resync;

  public StartResync(Resync resync) {
    this.resync = resync;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    if (!Resync.FINDINGS.equals(
        exchange.getMessage().getHeader(AhcWsConstants.EVENT, String.class))) {
      resync.start(RecordGapStart.connectionEventTime(exchange));
    }
    AsteriskQuery query = resync.query();
    if (query == null) {
      exchange.setRouteStop(true);
    } else {
      exchange.getMessage().setBody(query);
    }
  }
}
