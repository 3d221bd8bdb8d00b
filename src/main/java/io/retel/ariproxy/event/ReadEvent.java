package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.UnreadableEventException;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes the websocket's message an {@link AriEvent}; it is parsed here and nowhere else. */
public final class ReadEvent implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(ReadEvent.class);

  @Override
  public void process(Exchange exchange) {
    if (exchange.getMessage().getBody() instanceof String text) {
      AriEvent event = AriEvent.parse(text);
      if (event.type().equals("ApplicationReplaced")) {
        LOG.error(
            "Another client has connected as the Stasis application {}, and gets its events from now on;"
                + " find it, then start this proxy again",
            event.json().path("application").asText());
      }
      exchange.getMessage().setBody(event);
    } else {
      throw new UnreadableEventException("it is no text");
    }
  }
}
