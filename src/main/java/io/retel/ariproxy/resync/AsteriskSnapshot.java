// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Asterisk's state right after a connect.
 *
 * @param asteriskId {@code asterisk_id} of its events
 * @param startupTime start time, in Asterisk's format
 * @param channelIdsByApplication ids of the channels that each Stasis application lists
 * @param channels all channels by id, in Stasis or not
 * @param bridges ids of all bridges
 */
record AsteriskSnapshot(
    String asteriskId,
    String startupTime,
    Map<String, Set<String>> channelIdsByApplication,
    Map<String, JsonNode> channels,
    Set<String> bridges) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Parses Asterisk's responses.
   *
   * @param info response to {@code GET /asterisk/info}
   * @param applications response to {@code GET /applications}
   * @param channels response to {@code GET /channels}
   * @param bridges response to {@code GET /bridges}
   */
  static AsteriskSnapshot read(String info, String applications, String channels, String bridges)
      throws JsonProcessingException {
    JsonNode infoJson = JSON.readTree(info);
    Map<String, Set<String>> channelIdsByApplication = new HashMap<>();
    indexBy("name", JSON.readTree(applications))
        .forEach(
            (name, application) -> {
              Set<String> ids = new LinkedHashSet<>();
              application.path("channel_ids").forEach(id -> ids.add(id.asText()));
              channelIdsByApplication.put(name, ids);
            });
    return new AsteriskSnapshot(
        infoJson.at("/system/entity_id").asText(),
        infoJson.at("/status/startup_time").asText(),
        channelIdsByApplication,
        indexBy("id", JSON.readTree(channels)),
        new HashSet<>(indexBy("id", JSON.readTree(bridges)).keySet()));
  }

  private static Map<String, JsonNode> indexBy(String field, JsonNode list) {
    Map<String, JsonNode> index = new LinkedHashMap<>();
    list.forEach(element -> index.put(element.path(field).asText(), element));
    return index;
  }

  /** Whether a channel that has entered an application is still in it. */
  boolean isInStasis(String application, String channelId) {
    JsonNode channel = channels.get(channelId);
    // a channel created by a command stays listed when it continues in the dialplan
    return channel != null && listsChannel(application, channelId) && runsStasis(channel);
  }

  /**
   * Returns the channels that have entered an application, oldest first. An application also lists
   * its subscribed channels.
   */
  List<JsonNode> channelsIn(String application) {
    Map<String, JsonNode> byCreationTime = new TreeMap<>();
    for (String id : channelIdsByApplication.getOrDefault(application, Set.of())) {
      JsonNode channel = channels.get(id);
      if (channel != null && runsStasis(channel)) {
        String entryApplication = channel.at("/dialplan/app_data").asText().split(",", 2)[0];
        // a moved channel still shows the application through which it entered
        if (entryApplication.equals(application) || !listsChannel(entryApplication, id)) {
          byCreationTime.put(channel.path("creationtime").asText() + id, channel);
        }
      }
    }
    return new ArrayList<>(byCreationTime.values());
  }

  private static boolean runsStasis(JsonNode channel) {
    return channel.at("/dialplan/app_name").asText().equals("Stasis");
  }

  private boolean listsChannel(String application, String channelId) {
    return channelIdsByApplication.getOrDefault(application, Set.of()).contains(channelId);
  }
}
