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
 * <p>Immutable as long as nobody writes to {@link #payload}, whose very bytes are published.
 */
public final class AriEvent {

  /** What stands behind the object would stand behind it in the envelope, too. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** What they tell is a matter of the connection, and no call's. */
  private static final Set<String> CONNECTION_EVENTS =
      Set.of("ApplicationReplaced", "RESTResponse");

  /** The field that events have which Asterisk did not send (contract.md section 5). */
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
   * Reads an event.
   *
   * @throws MalformedEventException if it is no JSON object with a {@code type}
   */
  public static AriEvent parse(String text) {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    JsonNode json;
    try {
      json = JSON.readTree(payload);
    } catch (JsonProcessingException e) {
      throw new MalformedEventException("it is no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedEventException("it is no JSON: " + e.getMessage());
    }
    if (!json.isObject()) {
      throw new MalformedEventException("it is no JSON object");
    }
    String type = json.path("type").textValue();
    if (type == null || type.isEmpty()) {
      throw new MalformedEventException("it has no type");
    }
    return new AriEvent(type, payload, json);
  }

  /** The type's name as Asterisk writes it, like {@code StasisStart}. */
  public String type() {
    return type;
  }

  /** Whether it is for who holds the websocket, and no matter of a call. */
  public boolean isConnectionEvent() {
    return CONNECTION_EVENTS.contains(type);
  }

  /** The bytes to publish: JSON in UTF-8, as sent. Not to be written to. */
  public byte[] payload() {
    return payload;
  }

  /** The parsed form, for reading. */
  public JsonNode json() {
    return json;
  }

  /** The value that the event's channel is given for a variable, if it is not blank. */
  public Optional<String> changedVariable(String name) {
    return type.equals("ChannelVarset")
            && json.has("channel")
            && name.equals(json.path("variable").textValue())
        ? nonBlank(json.path("value"))
        : Optional.empty();
  }

  /** The value that the event's channel shows for a variable, if it is not blank. */
  public Optional<String> channelVariable(String name) {
    return channelVariable(EventResources.ownChannel(this), name);
  }

  /** The value that a channel, as Asterisk describes it, shows for a variable, if not blank. */
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
