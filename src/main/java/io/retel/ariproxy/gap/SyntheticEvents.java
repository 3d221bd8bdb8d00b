package io.retel.ariproxy.gap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.AriEvent;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Collection;

/**
 * Makes the events that Asterisk would have sent, in its form, from what can still be known. Each
 * says that it is none of Asterisk's.
 *
 * @param at when they are made up for
 * @param asteriskId the {@code asterisk_id} of events
 */
record SyntheticEvents(Instant timestamp, String asteriskId) {

  private static final JsonNodeFactory JSON = new ObjectMapper().getNodeFactory();

  /** As Asterisk writes times. */
  private static final DateTimeFormatter TIME_FORMAT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ").withZone(ZoneId.systemDefault());

  /** A channel has entered an application. Its arguments are those that the dialplan shows. */
  AriEvent stasisStart(JsonNode channel, String application) {
    ObjectNode event = newEvent("StasisStart", application);
    ArrayNode args = event.putArray("args");
    String data = channel.at("/dialplan/app_data").asText();
    if (data.startsWith(application + ",")) {
      for (String arg : data.substring(application.length() + 1).split(",", -1)) {
        args.add(arg);
      }
    }
    event.set("channel", channel);
    return build(event);
  }

  /**
   * A channel has left an application.
   *
   * @param channel as it is now, or null if it is gone
   */
  AriEvent stasisEnd(String id, JsonNode channel, String application) {
    ObjectNode event = newEvent("StasisEnd", application);
    event.set("channel", channel == null ? JSON.objectNode().put("id", id) : channel);
    return build(event);
  }

  AriEvent channelDestroyed(String id, String application) {
    ObjectNode event = newEvent("ChannelDestroyed", application);
    event.put("cause", 0).put("cause_txt", "Unknown");
    event.putObject("channel").put("id", id);
    return build(event);
  }

  AriEvent bridgeDestroyed(String id, String application) {
    ObjectNode event = newEvent("BridgeDestroyed", application);
    event.putObject("bridge").put("id", id).putArray("channels");
    return build(event);
  }

  AriEvent playbackFinished(String id, String application) {
    ObjectNode event = newEvent("PlaybackFinished", application);
    event.putObject("playback").put("id", id).put("state", "done");
    return build(event);
  }

  /** Asterisk tells no other end of a recording, not even of one that is discarded. */
  AriEvent recordingFinished(String name, String application) {
    ObjectNode event = newEvent("RecordingFinished", application);
    event.putObject("recording").put("name", name).put("state", "done");
    return build(event);
  }

  /**
   * A call has lived through a gap.
   *
   * @param start when the gap began, or null if nobody knows
   * @param channels those of the call, as they are now
   */
  AriEvent connectionRestored(Instant gapStart, Collection<JsonNode> channels, String application) {
    ObjectNode event = newEvent("AriConnectionRestored", application);
    event.put("gap_start", gapStart == null ? null : TIME_FORMAT.format(gapStart));
    event.put("gap_end", TIME_FORMAT.format(timestamp));
    event.putArray("channels").addAll(channels);
    return build(event);
  }

  private ObjectNode newEvent(String type, String application) {
    return JSON.objectNode()
        .put("type", type)
        .put("timestamp", TIME_FORMAT.format(timestamp))
        .put("application", application);
  }

  private AriEvent build(ObjectNode event) {
    event.put("asterisk_id", asteriskId).put(AriEvent.SYNTHESIZED_BY, "ari-proxy");
    return AriEvent.parse(event.toString());
  }
}
