// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.callcontext.CallContexts;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Records the active mappings before Asterisk is queried. */
public final class StartResync implements Processor {

  private final CallContexts callContexts;

  public StartResync(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    ResyncContext.start(
        exchange, RecordGapStart.connectionEventTime(exchange), callContexts.active());
  }
}
