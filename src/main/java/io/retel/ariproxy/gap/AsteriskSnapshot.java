package io.retel.ariproxy.gap;

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
 * What is there in Asterisk when the websocket is open.
 *
 * @param asteriskId the {@code asterisk_id} of events
 * @param startupTime since when it runs, as it writes that
 * @param channelsOf the ids of the channels that each of its Stasis applications lists
 * @param channels its channels by id, whether in Stasis or not
 * @param bridges the ids of its bridges
 */
record AsteriskSnapshot(
    String asteriskId,
    String startupTime,
    Map<String, Set<String>> channelIdsByApplication,
    Map<String, JsonNode> channels,
    Set<String> bridges) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads Asterisk's answers.
   *
   * @param info to {@code GET /asterisk/info}
   * @param applications to {@code GET /applications}
   * @param channels to {@code GET /channels}
   * @param bridges to {@code GET /bridges}
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

  /** Whether a channel that has entered an application is in it still. */
  boolean isInStasis(String application, String channelId) {
    JsonNode channel = channels.get(channelId);
    // one that a command has created stays the application's when it goes on in the dialplan
    return channel != null && listsChannel(application, channelId) && runsStasis(channel);
  }

  /**
   * The channels that have entered an application, in the order of their creation. An application
   * lists those that it has subscribed to as well.
   */
  List<JsonNode> channelsIn(String application) {
    Map<String, JsonNode> byCreationTime = new TreeMap<>();
    for (String id : channelIdsByApplication.getOrDefault(application, Set.of())) {
      JsonNode channel = channels.get(id);
      if (channel != null && runsStasis(channel)) {
        String entryApplication = channel.at("/dialplan/app_data").asText().split(",", 2)[0];
        // one that has been moved still shows the application through which it came
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
