package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.MalformedEventException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Makes the websocket's message an {@link AriEvent}; it is parsed here and nowhere else. */
public final class ParseEvent implements Processor {

  /** The property that tells whether the event is for the proxy alone; asked of every event. */
  static final String IS_CONNECTION_EVENT = "internalEvent";

  @Override
  public void process(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof String text) {
      AriEvent event = AriEvent.parse(text);
      exchange.setProperty(IS_CONNECTION_EVENT, event.isConnectionEvent());
      exchange.getMessage().setBody(event);
    } else {
      throw new MalformedEventException("it is no text");
    }
  }
}
