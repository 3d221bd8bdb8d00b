// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.Set;

/**
 * An event as Asterisk sent it, parsed once.
 *
 * <p>Immutable, provided that callers do not modify {@link #payload}, whose bytes are published.
 */
public final class AriEvent {

  /** Rejects trailing tokens, since the payload is embedded verbatim in the envelope. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** Events that concern the connection, not a call. */
  private static final Set<String> CONNECTION_EVENTS =
      Set.of("ApplicationReplaced", "RESTResponse");

  /** The field that marks synthetic events (docs/contract.md#outages). */
  public static final String SYNTHESIZED_BY = "synthesized_by";

  private final String type;
  private final byte[] payload;
  private final JsonNode json;

  private AriEvent(String type, byte[] payload, JsonNode json) {
    this.type = type;
    this.payload = payload;
    this.json = json;
  }

  /**
   * Parses an event.
   *
   * @throws MalformedEventException if it is not a JSON object with a {@code type}
   */
  public static AriEvent parse(String text) {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    JsonNode json;
    try {
      json = JSON.readTree(payload);
    } catch (JsonProcessingException e) {
      throw new MalformedEventException("not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedEventException("not JSON: " + e.getMessage());
    }
    if (!json.isObject()) {
      throw new MalformedEventException("not a JSON object");
    }
    String type = json.path("type").textValue();
    if (type == null || type.isEmpty()) {
      throw new MalformedEventException("type is missing");
    }
    return new AriEvent(type, payload, json);
  }

  /** The event type as Asterisk writes it, like {@code StasisStart}. */
  public String type() {
    return type;
  }

  /** Whether the event concerns the websocket connection, not a call. */
  public boolean isConnectionEvent() {
    return CONNECTION_EVENTS.contains(type);
  }

  /** The bytes to publish: JSON in UTF-8, as sent. Must not be modified. */
  public byte[] payload() {
    return payload;
  }

  /** The parsed event; read only. */
  public JsonNode json() {
    return json;
  }

  /**
   * Returns the non-blank value that a ChannelVarset event assigns to a variable of its channel.
   */
  public Optional<String> changedVariable(String name) {
    return type.equals("ChannelVarset")
            && json.has("channel")
            && name.equals(json.path("variable").textValue())
        ? nonBlank(json.path("value"))
        : Optional.empty();
  }

  /** Returns the non-blank value of a channel variable of the event's own channel. */
  public Optional<String> channelVariable(String name) {
    return channelVariable(EventResources.ownChannel(this), name);
  }

  /** Returns the non-blank value of a variable in Asterisk's description of a channel. */
  public static Optional<String> channelVariable(JsonNode channel, String name) {
    return nonBlank(channel.path("channelvars").path(name));
  }

  private static Optional<String> nonBlank(JsonNode value) {
    return value.isTextual() && !value.textValue().isBlank()
        ? Optional.of(value.textValue())
        : Optional.empty();
  }

  @Override
  public String toString() {
    return type;
  }
}
