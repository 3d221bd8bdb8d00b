// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.MalformedEventException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Parses the websocket message into an {@link AriEvent}; the only place that parses events. */
public final class ParseEvent implements Processor {

  /** The exchange property that marks events that concern only the proxy; set on every event. */
  static final String IS_CONNECTION_EVENT = "internalEvent";

  @Override
  public void process(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof String text) {
      AriEvent event = AriEvent.parse(text);
      exchange.setProperty(IS_CONNECTION_EVENT, event.isConnectionEvent());
      exchange.getMessage().setBody(event);
    } else {
      throw new MalformedEventException("not a text message");
    }
  }
}
