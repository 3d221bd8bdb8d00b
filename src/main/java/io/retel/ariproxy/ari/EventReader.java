// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.retel.ariproxy.ari.AriEvent.Channel;
import io.retel.ariproxy.text.UnpairedSurrogates;
import io.retel.ariproxy.text.Utf8Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the values of an event in one pass over its JSON, without a tree.
 *
 * <p>Field names and types come from Asterisk 22.10.1's {@code /api-docs/events.json}. A value of
 * another type, or an id or call context that is too long, is treated as missing. Ids in lists are
 * ignored beyond {@link AriEvent#MAX_LISTED_IDS}. If a field is repeated, its last value counts.
 */
final class EventReader {

  /** The positions of channels, the event's own one first. */
  private static final Set<String> CHANNELS =
      inOrder(
          "channel",
          "peer",
          "caller",
          "forwarded",
          "replace_channel",
          "transferer_first_leg",
          "transferer_second_leg",
          "transferee",
          "transfer_target",
          "destination_link_first_leg",
          "destination_link_second_leg",
          "destination_threeway_channel",
          "referred_by/source_channel",
          "referred_by/connected_channel",
          "refer_to/destination_channel",
          "refer_to/connected_channel");

  /** The candidates for the event's own channel, whose variables apply. */
  private static final Set<String> OWN_CHANNELS =
      inOrder("channel", "peer", "transferer_first_leg", "referred_by/source_channel");

  /** The positions of bridges, the event's own one first. */
  private static final Set<String> BRIDGES =
      inOrder(
          "bridge",
          "bridge_from",
          "transferer_first_leg_bridge",
          "transferer_second_leg_bridge",
          "destination_threeway_bridge",
          "referred_by/bridge",
          "refer_to/bridge");

  /** Event types whose resource is the application. */
  private static final Set<String> APPLICATION_EVENTS =
      Set.of("ApplicationRegistered", "ApplicationUnregistered", "ApplicationReplaced");

  private static final Set<String> CHANNEL_VARIABLES = Set.of(AriEvent.CALL_CONTEXT_VARIABLE);

  private record Bridge(String id, String creationTime, List<String> channelIds) {}

  private final JsonParser json;
  private final boolean hasEscapes;
  private final Map<String, Channel> channels = new HashMap<>(4);
  private final Map<String, Bridge> bridges = new HashMap<>(4);
  private String type = "";
  private String timestamp = "";
  private String asteriskId = "";
  private String application = "";
  private String variable = "";
  private String value = "";
  private String destinationBridge = "";
  private String oldVideoSource = "";
  private Map<String, String> playback = Map.of();
  private Map<String, String> recording = Map.of();
  private Map<String, String> endpoint = Map.of();
  private Map<String, String> device = Map.of();
  private Map<String, String> mailbox = Map.of();
  private boolean isSynthetic;
  private boolean hasLongId;

  /** The number of ids in lists, and how many of them were ignored. */
  private int listedIds;

  private int ignoredIds;

  private EventReader(JsonParser json, boolean hasEscapes) {
    this.json = json;
    this.hasEscapes = hasEscapes;
  }

  /**
   * Reads an event.
   *
   * @param hasEscapes whether a text can have an unpaired surrogate, which is replaced in ids and
   *     call contexts
   * @throws MalformedEventException if it is not a JSON object with a {@code type}
   */
  static AriEvent read(byte[] payload, boolean hasEscapes) {
    try (JsonParser json = Utf8Json.parser(payload)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new MalformedEventException("not a JSON object");
      }
      EventReader reader = new EventReader(json, hasEscapes);
      for (String field = reader.nextField(); field != null; field = reader.nextField()) {
        reader.readField(field);
      }
      if (json.nextToken() != null) {
        // the payload is embedded verbatim in the envelope
        throw new MalformedEventException("not JSON: more than one value");
      }
      return reader.event(payload);
    } catch (JsonProcessingException e) {
      throw new MalformedEventException("not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedEventException("not JSON: " + e.getMessage());
    }
  }

  private AriEvent event(byte[] payload) {
    if (type.isEmpty()) {
      throw new MalformedEventException("type is missing");
    }
    if (Resource.isTooLong(type)) {
      throw new MalformedEventException(
          "type has more than " + Resource.MAX_ID_LENGTH + " characters");
    }
    return new AriEvent(
        type,
        payload,
        timestamp,
        asteriskId,
        application,
        resources(),
        relatedResources(),
        ownChannel(),
        assignedCallContext(),
        isSynthetic,
        hasLongId,
        ignoredIds);
  }

  private List<Resource> resources() {
    Set<Resource> found = new LinkedHashSet<>(4);
    boolean bridgeFirst = type.startsWith("Bridge");
    if (bridgeFirst) {
      addBridges(found);
    }
    add(found, ResourceType.PLAYBACK, text(playback, "id"), text(playback, "target_uri"));
    add(found, ResourceType.RECORDING, text(recording, "name"), text(recording, "target_uri"));
    for (Channel channel : present(CHANNELS, channels)) {
      add(found, ResourceType.CHANNEL, channel.id(), channel.instance());
    }
    if (!bridgeFirst) {
      addBridges(found);
    }
    add(found, ResourceType.ENDPOINT, endpointId());
    add(found, ResourceType.DEVICE, text(device, "name"));
    add(found, ResourceType.MAILBOX, text(mailbox, "name"));
    if (APPLICATION_EVENTS.contains(type)) {
      add(found, ResourceType.APPLICATION, application);
    }
    return List.copyOf(found);
  }

  private String endpointId() {
    return endpoint.size() < 2 ? "" : endpoint.get("technology") + "/" + endpoint.get("resource");
  }

  private void addBridges(Set<Resource> found) {
    for (Bridge bridge : present(BRIDGES, bridges)) {
      add(found, ResourceType.BRIDGE, bridge.id(), bridge.creationTime());
    }
    add(found, ResourceType.BRIDGE, destinationBridge);
  }

  private List<Resource> relatedResources() {
    List<Resource> related = new ArrayList<>();
    addTarget(related, text(playback, "target_uri"));
    addTarget(related, text(recording, "target_uri"));
    for (Bridge bridge : present(BRIDGES, bridges)) {
      for (String id : bridge.channelIds()) {
        add(related, ResourceType.CHANNEL, id);
      }
    }
    add(related, ResourceType.CHANNEL, oldVideoSource);
    return List.copyOf(related);
  }

  /** Adds the target of a {@code channel:ID} or {@code bridge:ID} uri. */
  private static void addTarget(List<Resource> related, String uri) {
    int colon = uri.indexOf(':');
    if (colon > 0) {
      String id = uri.substring(colon + 1);
      switch (uri.substring(0, colon)) {
        case "channel" -> add(related, ResourceType.CHANNEL, id);
        case "bridge" -> add(related, ResourceType.BRIDGE, id);
        default -> {
          // an endpoint or an unknown scheme: not part of a call
        }
      }
    }
  }

  private static void add(Collection<Resource> found, ResourceType type, String id) {
    add(found, type, id, "");
  }

  private static void add(
      Collection<Resource> found, ResourceType type, String id, String instance) {
    if (!id.isEmpty()) {
      found.add(new Resource(type, id, instance));
    }
  }

  private Channel ownChannel() {
    for (String position : OWN_CHANNELS) {
      Channel channel = channels.get(position);
      if (channel != null) {
        return channel;
      }
    }
    return Channel.NONE;
  }

  private String assignedCallContext() {
    return type.equals("ChannelVarset")
            && channels.containsKey("channel")
            && AriEvent.isCallContextVariable(variable)
        ? emptyIfBlank(emptyIfTooLong(value))
        : "";
  }

  /** Reads the value of a field, after its name. */
  private void readField(String position) throws IOException {
    if (CHANNELS.contains(position)) {
      channels.put(position, readChannel());
      return;
    }
    if (BRIDGES.contains(position)) {
      bridges.put(position, readBridge());
      return;
    }
    switch (position) {
      case "type" -> type = readText();
      case "timestamp" -> timestamp = readText();
      case "asterisk_id" -> asteriskId = readId();
      case "application" -> application = readId();
      case "variable" -> variable = readText();
      case "value" -> value = readText();
      case "playback" -> playback = readIds(Set.of("id", "target_uri"));
      case "recording" -> recording = readIds(Set.of("name", "target_uri"));
      case "referred_by", "refer_to" -> readTransferParty(position);
      case "destination_bridge" -> destinationBridge = readId();
      case "old_video_source_id" -> oldVideoSource = readId();
      case "endpoint" -> endpoint = readIds(Set.of("technology", "resource"));
      case "device_state" -> device = readIds(Set.of("name"));
      case "mailbox" -> mailbox = readIds(Set.of("name"));
      case AriEvent.SYNTHESIZED_BY -> {
        isSynthetic = true;
        json.skipChildren();
      }
      default -> json.skipChildren();
    }
  }

  private void readTransferParty(String position) throws IOException {
    if (enterObject()) {
      for (String field = nextField(); field != null; field = nextField()) {
        readField(position + "/" + field);
      }
    }
  }

  /** Returns null if it is not an object. */
  private @Nullable Channel readChannel() throws IOException {
    if (!enterObject()) {
      return null;
    }
    String id = "";
    String name = "";
    String creationTime = "";
    String callContext = "";
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "id" -> id = readId();
        case "name" -> name = readText();
        case "creationtime" -> creationTime = readText();
        case "channelvars" ->
            callContext = text(readIds(CHANNEL_VARIABLES), AriEvent.CALL_CONTEXT_VARIABLE);
        default -> json.skipChildren();
      }
    }
    return new Channel(id, name, creationTime, emptyIfBlank(callContext));
  }

  /** Returns null if it is not an object. */
  private @Nullable Bridge readBridge() throws IOException {
    if (!enterObject()) {
      return null;
    }
    String id = "";
    String creationTime = "";
    List<String> channelIds = List.of();
    for (String field = nextField(); field != null; field = nextField()) {
      switch (field) {
        case "id" -> id = readId();
        case "creationtime" -> creationTime = readText();
        case "channels" -> channelIds = readIdArray();
        default -> json.skipChildren();
      }
    }
    return new Bridge(id, creationTime, channelIds);
  }

  /** Reads the ids of an object in the named fields; none if it is not an object. */
  private Map<String, String> readIds(Set<String> names) throws IOException {
    if (!enterObject()) {
      return Map.of();
    }
    Map<String, String> texts = new HashMap<>(4);
    for (String field = nextField(); field != null; field = nextField()) {
      if (names.contains(field)) {
        texts.put(field, readId());
      } else {
        json.skipChildren();
      }
    }
    return texts;
  }

  private static String text(Map<String, String> texts, String name) {
    return texts.getOrDefault(name, "");
  }

  private List<String> readIdArray() throws IOException {
    if (!json.isExpectedStartArrayToken()) {
      json.skipChildren();
      return List.of();
    }
    List<String> texts = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (listedIds < AriEvent.MAX_LISTED_IDS) {
        listedIds++;
        texts.add(readId());
      } else {
        ignoredIds++;
        json.skipChildren();
      }
    }
    return texts;
  }

  /** Reads an id or call context; empty if it is too long. */
  private String readId() throws IOException {
    return emptyIfTooLong(readText());
  }

  private String emptyIfTooLong(String text) {
    if (Resource.isTooLong(text)) {
      hasLongId = true;
      return "";
    }
    return text;
  }

  private String readText() throws IOException {
    if (json.hasToken(JsonToken.VALUE_STRING)) {
      String text = json.getText();
      return hasEscapes ? UnpairedSurrogates.replaceIn(text) : text;
    }
    json.skipChildren();
    return "";
  }

  /** Enters the value if it is an object; skips any other value and returns false. */
  private boolean enterObject() throws IOException {
    if (json.isExpectedStartObjectToken()) {
      return true;
    }
    json.skipChildren();
    return false;
  }

  /** Moves to the value of the object's next field and returns its name; null at the end. */
  private @Nullable String nextField() throws IOException {
    String name = json.nextFieldName();
    if (name != null) {
      json.nextToken();
    }
    return name;
  }

  private static String emptyIfBlank(String text) {
    return text.isBlank() ? "" : text;
  }

  /** Returns the values at the positions that the event has, in the order of the positions. */
  private static <T> List<T> present(Set<String> positions, Map<String, T> values) {
    if (values.isEmpty()) {
      return List.of();
    }
    List<T> present = new ArrayList<>(values.size());
    for (String position : positions) {
      T value = values.get(position);
      if (value != null) {
        present.add(value);
      }
    }
    return present;
  }

  private static Set<String> inOrder(String... positions) {
    return Collections.unmodifiableSet(new LinkedHashSet<>(List.of(positions)));
  }
}
