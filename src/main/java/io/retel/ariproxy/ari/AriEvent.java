// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/**
 * An event: its bytes as Asterisk sent them, and the values that the proxy decides on. A text that
 * is missing is empty.
 *
 * <p>Immutable, provided that callers do not modify the payload, whose bytes are published.
 *
 * @param type the event type as Asterisk writes it, like {@code StasisStart}
 * @param payload the bytes to publish: JSON in UTF-8. Must not be modified
 * @param timestamp when Asterisk sent it, in the format of {@link AsteriskTime}
 * @param asteriskId the id of the Asterisk that sent it
 * @param application its Stasis application
 * @param resources its resources, its own one first. The others share its call context, unless they
 *     have their own
 * @param relatedResources those that determine the call context if the event's resources do not:
 *     the target of a playback or recording, the channels in the bridge, the previous video source
 * @param channel its own channel, whose variables apply to it, or {@link Channel#NONE}
 * @param assignedCallContext the call context that a ChannelVarset event assigns to its channel
 * @param isSynthetic whether the proxy built it (docs/contract.md#outages)
 * @param hasLongId whether an id or call context is missing here because it is too long
 * @param ignoredIds the number of ids that are missing here because the event lists too many
 */
public record AriEvent(
    String type,
    byte[] payload,
    String timestamp,
    String asteriskId,
    String application,
    List<Resource> resources,
    List<Resource> relatedResources,
    Channel channel,
    String assignedCallContext,
    boolean isSynthetic,
    boolean hasLongId,
    int ignoredIds) {

  /**
   * Maximum number of ids in the lists of one event, such as the channels in its bridges
   * (docs/contract.md#many-ids): many times those of a large conference.
   */
  public static final int MAX_LISTED_IDS = 10_000;

  /** The channel variable with the call context (docs/contract.md#mapping). */
  public static final String CALL_CONTEXT_VARIABLE = "CALL_CONTEXT";

  /**
   * The names that set it, as in a ChannelVarset: underscores pass it on to channels that this one
   * creates, and are not part of its name.
   */
  private static final Set<String> CALL_CONTEXT_VARIABLES =
      Set.of(CALL_CONTEXT_VARIABLE, "_" + CALL_CONTEXT_VARIABLE, "__" + CALL_CONTEXT_VARIABLE);

  /** The field that marks synthetic events (docs/contract.md#outages). */
  public static final String SYNTHESIZED_BY = "synthesized_by";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Events that concern the connection, not a call. */
  private static final Set<String> CONNECTION_EVENTS =
      Set.of("ApplicationReplaced", "RESTResponse");

  /**
   * A channel in an event. A text that is missing is empty.
   *
   * @param id its id
   * @param name its name, like {@code PJSIP/alice-00000001}
   * @param creationTime when it was created, in the format of {@link AsteriskTime}
   * @param callContext its {@value AriEvent#CALL_CONTEXT_VARIABLE}, empty if blank
   */
  public record Channel(String id, String name, String creationTime, String callContext) {

    static final Channel NONE = new Channel("", "", "", "");

    /** The {@link Resource#instance()} of the channel. */
    String instance() {
      return Resource.channelInstance(creationTime, name);
    }

    /** Whether it is a snoop channel. */
    public boolean isSnoop() {
      return name.startsWith("Snoop/");
    }
  }

  /**
   * Parses an event.
   *
   * @throws MalformedEventException if it is not a JSON object with a {@code type}
   */
  public static AriEvent parse(String text) {
    // Asterisk escapes control characters only
    return EventReader.read(text.getBytes(StandardCharsets.UTF_8), text.contains("\\u"));
  }

  /** Whether the event concerns the websocket connection, not a call. */
  public boolean isConnectionEvent() {
    return CONNECTION_EVENTS.contains(type);
  }

  /** What the event reports about the lifecycle of its own resource. */
  public ResourceChange change() {
    return ResourceChange.of(type);
  }

  /**
   * Parses the payload, in a route {@code ${body.json}}; the proxy itself needs the values only.
   */
  public JsonNode json() {
    try {
      return JSON.readTree(payload);
    } catch (IOException e) {
      // cannot happen: the payload has been read before
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return type;
  }

  /** Whether setting this variable sets the call context of a channel. */
  public static boolean isCallContextVariable(String variable) {
    return CALL_CONTEXT_VARIABLES.contains(variable);
  }
}
