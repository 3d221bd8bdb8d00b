// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.retel.ariproxy.component.ahcws.AhcWsComponent;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.telemetry.Span;
import org.apache.camel.telemetry.decorators.AbstractSpanDecorator;

/** Span of a websocket message, which starts a trace. */
public final class EventSpanDecorator extends AbstractSpanDecorator {

  @Override
  public String getComponent() {
    return "ahc-ws";
  }

  @Override
  public String getComponentClassName() {
    return AhcWsComponent.class.getName();
  }

  @Override
  public String getOperationName(Exchange exchange, Endpoint endpoint) {
    return "event";
  }

  @Override
  public void afterTracingEvent(Span span, Exchange exchange) {
    super.afterTracingEvent(span, exchange);
    SpanTags.put(span, exchange);
  }
}
