// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds the resources of an event (docs/contract.md#mapping).
 *
 * <p>Field names come from Asterisk 22.10.1's {@code /api-docs/events.json}.
 */
public final class EventResources {

  /** The positions of channels, the event's own one first. */
  private static final List<JsonPointer> CHANNELS =
      pointers(
          "/channel",
          "/peer",
          "/caller",
          "/forwarded",
          "/replace_channel",
          "/transferer_first_leg",
          "/transferer_second_leg",
          "/transferee",
          "/transfer_target",
          "/destination_link_first_leg",
          "/destination_link_second_leg",
          "/destination_threeway_channel",
          "/referred_by/source_channel",
          "/referred_by/connected_channel",
          "/refer_to/destination_channel",
          "/refer_to/connected_channel");

  /** The candidates for the event's own channel, whose variables apply. */
  private static final List<JsonPointer> OWN_CHANNELS =
      pointers("/channel", "/peer", "/transferer_first_leg", "/referred_by/source_channel");

  /** The positions of bridges, the event's own one first. */
  private static final List<JsonPointer> BRIDGES =
      pointers(
          "/bridge",
          "/bridge_from",
          "/transferer_first_leg_bridge",
          "/transferer_second_leg_bridge",
          "/destination_threeway_bridge",
          "/referred_by/bridge",
          "/refer_to/bridge");

  /** Event types whose resource is the application. */
  private static final Set<String> APPLICATION_EVENTS =
      Set.of("ApplicationRegistered", "ApplicationUnregistered", "ApplicationReplaced");

  private EventResources() {}

  /**
   * Returns the event's resources: its own one first, then the others. The others share its call
   * context, unless they have their own.
   */
  public static List<Resource> of(AriEvent event) {
    JsonNode json = event.json();
    Set<Resource> found = new LinkedHashSet<>(4);
    boolean bridgeFirst = event.type().startsWith("Bridge");
    if (bridgeFirst) {
      addBridges(json, found);
    }
    add(found, ResourceType.PLAYBACK, json.path("playback").path("id"));
    add(found, ResourceType.RECORDING, json.path("recording").path("name"));
    for (JsonPointer channel : CHANNELS) {
      add(found, ResourceType.CHANNEL, json.at(channel).path("id"));
    }
    if (!bridgeFirst) {
      addBridges(json, found);
    }
    add(found, ResourceType.ENDPOINT, endpointId(json.path("endpoint")));
    add(found, ResourceType.DEVICE, json.path("device_state").path("name"));
    add(found, ResourceType.MAILBOX, json.path("mailbox").path("name"));
    if (APPLICATION_EVENTS.contains(event.type())) {
      add(found, ResourceType.APPLICATION, json.path("application"));
    }
    return List.copyOf(found);
  }

  /**
   * Returns the resources that determine the call context if the event's own resources do not: the
   * target of a playback or recording, the channels in the bridge, the previous video source.
   */
  public static List<Resource> relatedTo(AriEvent event) {
    JsonNode json = event.json();
    List<Resource> related = new ArrayList<>(2);
    addTarget(related, json.path("playback").path("target_uri"));
    addTarget(related, json.path("recording").path("target_uri"));
    for (JsonPointer bridge : BRIDGES) {
      for (JsonNode channel : json.at(bridge).path("channels")) {
        add(related, ResourceType.CHANNEL, channel);
      }
    }
    add(related, ResourceType.CHANNEL, json.path("old_video_source_id"));
    return related;
  }

  /** Returns the channel whose variables apply to the event, or a missing node. */
  static JsonNode ownChannel(AriEvent event) {
    for (JsonPointer pointer : OWN_CHANNELS) {
      JsonNode channel = event.json().at(pointer);
      if (channel.isObject()) {
        return channel;
      }
    }
    return MissingNode.getInstance();
  }

  private static void addBridges(JsonNode json, Set<Resource> found) {
    for (JsonPointer bridge : BRIDGES) {
      add(found, ResourceType.BRIDGE, json.at(bridge).path("id"));
    }
    add(found, ResourceType.BRIDGE, json.path("destination_bridge"));
  }

  private static List<JsonPointer> pointers(String... expressions) {
    return Arrays.stream(expressions).map(JsonPointer::compile).toList();
  }

  private static JsonNode endpointId(JsonNode endpoint) {
    return endpoint.has("technology") && endpoint.has("resource")
        ? TextNode.valueOf(
            endpoint.path("technology").asText() + "/" + endpoint.path("resource").asText())
        : MissingNode.getInstance();
  }

  /** Adds the target of a {@code channel:ID} or {@code bridge:ID} uri. */
  private static void addTarget(List<Resource> related, JsonNode targetUri) {
    String uri = targetUri.asText("");
    int colon = uri.indexOf(':');
    if (colon > 0) {
      JsonNode id = TextNode.valueOf(uri.substring(colon + 1));
      switch (uri.substring(0, colon)) {
        case "channel" -> add(related, ResourceType.CHANNEL, id);
        case "bridge" -> add(related, ResourceType.BRIDGE, id);
        default -> {
          // an endpoint or an unknown scheme: not part of a call
        }
      }
    }
  }

  private static void add(Collection<Resource> found, ResourceType type, JsonNode id) {
    if (id.isTextual() && !id.textValue().isEmpty()) {
      found.add(new Resource(type, id.textValue()));
    }
  }
}
