package io.retel.ariproxy.gap;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Asks for each playback and each recording that is remembered, for Asterisk has no list of them:
 * what is not found has ended (contract.md section 6).
 */
public final class MediaQuestions {

  /** The exchange property with the playback or recording that is asked for. */
  private static final String ASKED = "asked";

  private static final int NOT_FOUND = 404;

  private MediaQuestions() {}

  /** Makes the message the list of those that are to be asked for. */
  public static Processor which() {
    return exchange -> exchange.getMessage().setBody(LookAround.of(exchange).media());
  }

  /** Makes the message, which is one of them, the request for it. */
  public static Processor ask() {
    return exchange -> {
      Resource media = exchange.getMessage().getBody(Resource.class);
      exchange.setProperty(ASKED, media);
      String path = media.type() == ResourceType.PLAYBACK ? "/playbacks/" : "/recordings/live/";
      exchange.getMessage().removeHeaders("*");
      exchange.getMessage().setHeader(Exchange.HTTP_PATH, path + InPath.encoded(media.id()));
      exchange.getMessage().setBody(null);
    };
  }

  /** Takes the answer. */
  public static Processor answer() {
    return exchange -> {
      if (exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class) == NOT_FOUND) {
        LookAround.of(exchange).endedMedia().add(exchange.getProperty(ASKED, Resource.class));
      }
    };
  }
}
