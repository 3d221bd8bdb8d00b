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
record SynthesizedEvent(Instant at, String asteriskId) {

  private static final JsonNodeFactory JSON = new ObjectMapper().getNodeFactory();

  /** As Asterisk writes times. */
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ").withZone(ZoneId.systemDefault());

  /** A channel has entered an application. Its arguments are those that the dialplan shows. */
  AriEvent stasisStart(JsonNode channel, String application) {
    ObjectNode event = event("StasisStart", application);
    ArrayNode args = event.putArray("args");
    String data = channel.at("/dialplan/app_data").asText();
    if (data.startsWith(application + ",")) {
      for (String arg : data.substring(application.length() + 1).split(",", -1)) {
        args.add(arg);
      }
    }
    event.set("channel", channel);
    return finish(event);
  }

  /**
   * A channel has left an application.
   *
   * @param channel as it is now, or null if it is gone
   */
  AriEvent stasisEnd(String id, JsonNode channel, String application) {
    ObjectNode event = event("StasisEnd", application);
    event.set("channel", channel == null ? JSON.objectNode().put("id", id) : channel);
    return finish(event);
  }

  AriEvent channelDestroyed(String id, String application) {
    ObjectNode event = event("ChannelDestroyed", application);
    event.put("cause", 0).put("cause_txt", "Unknown");
    event.putObject("channel").put("id", id);
    return finish(event);
  }

  AriEvent bridgeDestroyed(String id, String application) {
    ObjectNode event = event("BridgeDestroyed", application);
    event.putObject("bridge").put("id", id).putArray("channels");
    return finish(event);
  }

  AriEvent playbackFinished(String id, String application) {
    ObjectNode event = event("PlaybackFinished", application);
    event.putObject("playback").put("id", id).put("state", "done");
    return finish(event);
  }

  /** Asterisk tells no other end of a recording, not even of one that is discarded. */
  AriEvent recordingFinished(String name, String application) {
    ObjectNode event = event("RecordingFinished", application);
    event.putObject("recording").put("name", name).put("state", "done");
    return finish(event);
  }

  /**
   * A call has lived through a gap.
   *
   * @param start when the gap began, or null if nobody knows
   * @param channels those of the call, as they are now
   */
  AriEvent connectionRestored(Instant start, Collection<JsonNode> channels, String application) {
    ObjectNode event = event("AriConnectionRestored", application);
    event.put("gap_start", start == null ? null : TIME.format(start));
    event.put("gap_end", TIME.format(at));
    event.putArray("channels").addAll(channels);
    return finish(event);
  }

  private ObjectNode event(String type, String application) {
    return JSON.objectNode()
        .put("type", type)
        .put("timestamp", TIME.format(at))
        .put("application", application);
  }

  private AriEvent finish(ObjectNode event) {
    event.put("asterisk_id", asteriskId).put(AriEvent.SYNTHESIZED_BY, "ari-proxy");
    return AriEvent.parse(event.toString());
  }
}
