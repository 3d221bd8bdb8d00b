package io.retel.ariproxy.gap;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Asks for each playback and each recording that is remembered, for Asterisk has no list of them:
 * what is not found has ended (contract.md section 6).
 */
public final class MediaLookup {

  /** The exchange property with the playback or recording that is asked for. */
  private static final String MEDIA_PROPERTY = "queriedMedia";

  private static final int NOT_FOUND = 404;

  private MediaLookup() {}

  /** Makes the message the list of those that are to be asked for. */
  public static Processor listMedia() {
    return exchange -> exchange.getMessage().setBody(ResyncContext.from(exchange).knownMedia());
  }

  /** Makes the message, which is one of them, the request for it. */
  public static Processor buildRequest() {
    return exchange -> {
      Resource media = exchange.getMessage().getBody(Resource.class);
      exchange.setProperty(MEDIA_PROPERTY, media);
      String path = media.type() == ResourceType.PLAYBACK ? "/playbacks/" : "/recordings/live/";
      exchange.getMessage().removeHeaders("*");
      exchange.getMessage().setHeader(Exchange.HTTP_PATH, path + PathEncoding.encode(media.id()));
      exchange.getMessage().setBody(null);
    };
  }

  /** Takes the answer. */
  public static Processor recordEndedMedia() {
    return exchange -> {
      if (exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class) == NOT_FOUND) {
        ResyncContext.from(exchange)
            .endedMedia()
            .add(exchange.getProperty(MEDIA_PROPERTY, Resource.class));
      }
    };
  }
}
