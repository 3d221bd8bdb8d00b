package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.UnreadableEventException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Makes the websocket's message an {@link AriEvent}; it is parsed here and nowhere else. */
public final class ReadEvent implements Processor {

  @Override
  public void process(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof String text) {
      exchange.getMessage().setBody(AriEvent.parse(text));
    } else {
      throw new UnreadableEventException("it is no text");
    }
  }
}
