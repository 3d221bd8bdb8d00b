package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.UnreadableEventException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Makes the websocket's message an {@link AriEvent}; it is parsed here and nowhere else. */
public final class ReadEvent implements Processor {

  /** The property that tells whether the event is for the proxy alone; asked of every event. */
  static final String FOR_THE_CLIENT = "forTheClient";

  @Override
  public void process(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof String text) {
      AriEvent event = AriEvent.parse(text);
      exchange.setProperty(FOR_THE_CLIENT, event.forTheClient());
      exchange.getMessage().setBody(event);
    } else {
      throw new UnreadableEventException("it is no text");
    }
  }
}
