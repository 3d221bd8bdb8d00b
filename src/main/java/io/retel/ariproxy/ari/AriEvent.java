package io.retel.ariproxy.ari;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * An event as Asterisk sent it, parsed once.
 *
 * <p>Immutable as long as nobody writes to {@link #payload}, whose very bytes are published.
 */
public final class AriEvent {

  private static final ObjectMapper JSON = new ObjectMapper();

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
   * @throws UnreadableEventException if it is no JSON object with a {@code type}
   */
  public static AriEvent parse(String text) {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    JsonNode json;
    try {
      json = JSON.readTree(payload);
    } catch (JsonProcessingException e) {
      throw new UnreadableEventException("it is no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new UnreadableEventException("it is no JSON: " + e.getMessage());
    }
    if (!json.isObject()) {
      throw new UnreadableEventException("it is no JSON object");
    }
    String type = json.path("type").asText("");
    if (type.isEmpty()) {
      throw new UnreadableEventException("it has no type");
    }
    return new AriEvent(type, payload, json);
  }

  /** The type's name as Asterisk writes it, like {@code StasisStart}. */
  public String type() {
    return type;
  }

  /** The bytes to publish: JSON in UTF-8, as sent. Not to be written to. */
  public byte[] payload() {
    return payload;
  }

  /** The parsed form, for reading. */
  public JsonNode json() {
    return json;
  }

  /** The value of a channel variable that the event sets or shows, if it is not blank. */
  public Optional<String> channelVariable(String name) {
    if (type.equals("ChannelVarset") && name.equals(json.path("variable").asText())) {
      Optional<String> set = nonBlank(json.path("value"));
      if (set.isPresent() && json.has("channel")) {
        return set;
      }
    }
    return nonBlank(EventResources.ownChannel(this).path("channelvars").path(name));
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
