// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashSet;
import java.util.Set;

/** What a resync keeps of Asterisk's description of a bridge. */
record BridgeDescription(String creationTime, Set<String> channelIds) {

  static BridgeDescription of(JsonNode bridge) {
    Set<String> channelIds = new HashSet<>();
    bridge.path("channels").forEach(id -> channelIds.add(id.asText()));
    return new BridgeDescription(bridge.path("creationtime").asText(), channelIds);
  }

  /** Returns the heap of its ids, at most. */
  long bytes() {
    return Observation.bytesOfIds(channelIds);
  }
}
