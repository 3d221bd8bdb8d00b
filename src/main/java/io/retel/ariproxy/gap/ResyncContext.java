package io.retel.ariproxy.gap;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.Mapping;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;

/**
 * One look at what is left of all that was remembered when the websocket was open again. On its way
 * through the route {@code connected} it gathers what Asterisk says.
 *
 * @param connected when the websocket was open
 * @param remembered what was thought to be there before Asterisk was asked
 * @param endedMedia which playbacks and recordings are not there any more
 */
record ResyncContext(
    Instant connectedAt, Map<Resource, Mapping> knownMappings, Set<Resource> endedMedia) {

  /** The name of the exchange property that carries it. */
  private static final String PROPERTY = "resyncContext";

  static void start(Exchange exchange, Instant connectedAt, Map<Resource, Mapping> knownMappings) {
    exchange.setProperty(PROPERTY, new ResyncContext(connectedAt, knownMappings, new HashSet<>()));
  }

  static ResyncContext from(Exchange exchange) {
    return exchange.getProperty(PROPERTY, ResyncContext.class);
  }

  /** Those whose end only a question of their own can tell. */
  List<Resource> knownMedia() {
    return knownMappings.keySet().stream()
        .filter(
            resource ->
                resource.type() == ResourceType.PLAYBACK
                    || resource.type() == ResourceType.RECORDING)
        .toList();
  }
}
