// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import io.retel.ariproxy.time.Moment;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Records the start of a gap and the call contexts active then, and aborts an unfinished resync.
 */
public final class RecordGapStart implements Processor {

  private final Gap gap;
  private final CallContexts callContexts;
  private final Resync resync;

  public RecordGapStart(Gap gap, CallContexts callContexts, Resync resync) {
    this.gap = gap;
    this.callContexts = callContexts;
    this.resync = resync;
  }

  @Override
  public void process(Exchange exchange) {
    resync.abort();
    gap.begin(connectionEventTime(exchange), callContexts.activeCallContexts());
  }

  /**
   * Returns when the websocket connected or disconnected, which can be earlier than now since the
   * event was queued.
   */
  static Moment connectionEventTime(Exchange exchange) {
    Long millis = exchange.getMessage().getHeader(Exchange.MESSAGE_TIMESTAMP, Long.class);
    Long nanos = exchange.getMessage().getHeader(AhcWsConstants.EVENT_NANO_TIME, Long.class);
    return millis == null || nanos == null
        ? Moment.now()
        : new Moment(Instant.ofEpochMilli(millis), nanos);
  }
}
