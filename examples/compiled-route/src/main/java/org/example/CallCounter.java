package org.example;

import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.builder.RouteBuilder;

/** A route in Java: counts the calls that a route file sends to it, and logs the number. */
public final class CallCounter extends RouteBuilder {

  private final AtomicLong calls = new AtomicLong();

  @Override
  public void configure() {
    from("seda:count-call")
        .routeId("count-call")
        .setProperty("calls", calls::incrementAndGet)
        .log("Call ${exchangeProperty.calls}: ${exchangeProperty.callContext}");
  }
}
