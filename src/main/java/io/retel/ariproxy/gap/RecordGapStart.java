package io.retel.ariproxy.gap;

import io.retel.ariproxy.callcontext.CallContexts;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** The websocket is lost: notes since when, and which calls live. */
public final class RecordGapStart implements Processor {

  private final Gap gap;
  private final CallContexts callContexts;

  public RecordGapStart(Gap gap, CallContexts callContexts) {
    this.gap = gap;
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    gap.begin(connectionEventTime(exchange), callContexts.activeCallContexts());
  }

  /** When the websocket was lost or open, which may be a while before its turn among the events. */
  static Instant connectionEventTime(Exchange exchange) {
    Long millis = exchange.getMessage().getHeader(Exchange.MESSAGE_TIMESTAMP, Long.class);
    return millis == null ? Instant.now() : Instant.ofEpochMilli(millis);
  }
}
