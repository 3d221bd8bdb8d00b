// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Processors that look up each mapped playback and recording, since Asterisk does not list them. A
 * playback or recording that is not found has ended (docs/contract.md#asterisk).
 */
public final class MediaLookup {

  private static final int NOT_FOUND = 404;

  private MediaLookup() {}

  /** Sets the body to the list of media to look up. */
  public static Processor listMedia() {
    return exchange -> exchange.getMessage().setBody(ResyncContext.from(exchange).knownMedia());
  }

  /** Turns a playback or recording in the body into the request for it. */
  public static Processor buildRequest() {
    return exchange -> {
      Resource media = exchange.getMessage().getBody(Resource.class);
      exchange.setProperty(ResyncProperties.MEDIA, media);
      String path = media.type() == ResourceType.PLAYBACK ? "/playbacks/" : "/recordings/live/";
      exchange.getMessage().removeHeaders("*");
      exchange.getMessage().setHeader(Exchange.HTTP_PATH, path + PathEncoding.encode(media.id()));
      exchange.getMessage().setBody(null);
    };
  }

  /** Records the playback or recording as ended if the response is a 404. */
  public static Processor recordEndedMedia() {
    return exchange -> {
      if (exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class) == NOT_FOUND) {
        ResyncContext.from(exchange)
            .endedMedia()
            .add(exchange.getProperty(ResyncProperties.MEDIA, Resource.class));
      }
    };
  }
}
