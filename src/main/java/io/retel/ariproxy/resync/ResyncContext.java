// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.time.Moment;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;

/**
 * The state of one resync, carried through the route {@code resync}.
 *
 * @param connectedAt when the websocket connected
 * @param knownMappings the active mappings before Asterisk was queried
 * @param endedMedia playbacks and recordings that no longer exist; mutable
 */
record ResyncContext(
    Moment connectedAt, Map<Resource, Mapping> knownMappings, Set<Resource> endedMedia) {

  static void start(Exchange exchange, Moment connectedAt, Map<Resource, Mapping> knownMappings) {
    exchange.setProperty(
        ResyncProperties.CONTEXT, new ResyncContext(connectedAt, knownMappings, new HashSet<>()));
  }

  static ResyncContext from(Exchange exchange) {
    return exchange.getProperty(ResyncProperties.CONTEXT, ResyncContext.class);
  }

  /** Returns the playbacks and recordings, which must be looked up one by one. */
  List<Resource> knownMedia() {
    return knownMappings.keySet().stream()
        .filter(
            resource ->
                resource.type() == ResourceType.PLAYBACK
                    || resource.type() == ResourceType.RECORDING)
        .toList();
  }
}
