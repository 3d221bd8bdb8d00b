// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.time.Moment;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Factory of synthetic events, in Asterisk's format and marked as synthetic.
 *
 * @param connectedAt timestamp of the events
 * @param asteriskId {@code asterisk_id} of the events
 * @param late whether events were published since the connect
 */
record SyntheticEvents(Moment connectedAt, String asteriskId, boolean late) {

  private static final JsonNodeFactory JSON = new ObjectMapper().getNodeFactory();

  /** Stasis takes so many in Asterisk. */
  private static final int MAX_ARGUMENTS = 128;

  /** Asterisk's time format. */
  private static final DateTimeFormatter TIME_FORMAT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ").withZone(ZoneId.systemDefault());

  /**
   * Builds the event of a channel that has entered an application, with the dialplan's arguments.
   */
  AriEvent stasisStart(ChannelDescription channel, String application) {
    ObjectNode event = newEvent("StasisStart", application);
    ArrayNode args = event.putArray("args");
    String data = channel.applicationData();
    if (data.startsWith(application + ",")) {
      arguments(data.substring(application.length() + 1), ",").forEach(args::add);
    } else if (channel.applicationName().equals("StasisBroadcast")) {
      broadcastArgs(data).forEach(args::add);
    }
    event.putRawValue("channel", new RawValue(channel.json()));
    return build(event);
  }

  /** Returns the third argument, split: {@code StasisBroadcast(timeout,filter,a:b)}. */
  private static List<String> broadcastArgs(String data) {
    String[] arguments = data.split(",", 4);
    return arguments.length < 3 || arguments[2].isEmpty()
        ? List.of()
        : arguments(arguments[2], ":");
  }

  /** Splits arguments as Asterisk does: the last of many contains the rest. */
  private static List<String> arguments(String text, String separator) {
    return List.of(text.split(separator, MAX_ARGUMENTS));
  }

  /**
   * Builds the event of a channel that has left an application.
   *
   * @param channel current state, or null if it no longer exists
   */
  AriEvent stasisEnd(String id, @Nullable ChannelDescription channel, String application) {
    ObjectNode event = newEvent("StasisEnd", application);
    if (channel == null) {
      event.putObject("channel").put("id", id);
    } else {
      event.putRawValue("channel", new RawValue(channel.json()));
    }
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

  /**
   * Builds the end event of a recording. Asterisk sends no other, not even for a discarded
   * recording.
   */
  AriEvent recordingFinished(String name, String application) {
    ObjectNode event = newEvent("RecordingFinished", application);
    event.putObject("recording").put("name", name).put("state", "done");
    return build(event);
  }

  /**
   * Builds the event of a call that is still active after a gap.
   *
   * @param gapStart when the gap began, or null if unknown
   * @param channels current state of the call's channels, each as JSON
   */
  AriEvent connectionRestored(
      @Nullable Moment gapStart, Collection<String> channels, String application) {
    ObjectNode event = newEvent("AriConnectionRestored", application);
    event.put(
        "gap_start",
        gapStart == null ? null : TIME_FORMAT.format(connectedAt.timeOfDayOf(gapStart)));
    event.put("gap_end", TIME_FORMAT.format(connectedAt.timeOfDay()));
    ArrayNode array = event.putArray("channels");
    channels.forEach(channel -> array.addRawValue(new RawValue(channel)));
    return build(event);
  }

  private ObjectNode newEvent(String type, String application) {
    return JSON.objectNode()
        .put("type", type)
        .put("timestamp", TIME_FORMAT.format(connectedAt.timeOfDay()))
        .put("application", application);
  }

  private AriEvent build(ObjectNode event) {
    event.put("asterisk_id", asteriskId).put(AriEvent.SYNTHESIZED_BY, "ari-proxy");
    if (late) {
      event.put("late", true);
    }
    return AriEvent.parse(event.toString());
  }
}
