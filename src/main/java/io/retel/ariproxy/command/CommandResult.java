package io.retel.ariproxy.command;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import io.retel.ariproxy.envelope.RawJson;
import java.io.IOException;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a RESPONSE says: Asterisk's answer, or the proxy's own when there is none (contract.md
 * section 4).
 */
public sealed interface CommandResult {

  /** The name of the exchange property that carries it. */
  String PROPERTY = "commandResult";

  JsonFactory JSON = new JsonFactory();

  Pattern JSON_CONTENT_TYPE = Pattern.compile("application/json\\b", Pattern.CASE_INSENSITIVE);

  int status();

  /** Whether the command went out to Asterisk. */
  default boolean isSent() {
    return true;
  }

  /** Whether Asterisk is known not to have carried the command out. */
  default boolean hadNoEffect() {
    return status() >= 400;
  }

  /** About how many bytes it takes in the envelope. */
  int estimatedSize();

  /** Writes the RESPONSE's payload. */
  void writeTo(JsonGenerator json) throws IOException;

  /** What became of the request. */
  enum Outcome {
    /** Nothing went out: it may be sent again. */
    NOT_SENT,
    /** It went out, and nobody knows what Asterisk did with it. */
    UNKNOWN,
    /** Asterisk carried it out, and the answer could not be handed on. */
    ANSWERED
  }

  /** Asterisk answered without a body. */
  record Status(int status) implements CommandResult {
    @Override
    public int estimatedSize() {
      return 32;
    }

    @Override
    public void writeTo(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeNumberField("status_code", status);
      json.writeEndObject();
    }
  }

  /** Asterisk answered with JSON, which is passed on as it is. */
  record Json(int status, byte[] body) implements CommandResult {
    @Override
    public int estimatedSize() {
      return 48 + body.length;
    }

    @Override
    public void writeTo(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeNumberField("status_code", status);
      json.writeFieldName("body");
      json.writeRawValue(new RawJson(body));
      json.writeEndObject();
    }
  }

  /** Asterisk answered with something else, like a recording's file. */
  record Binary(int status, String contentType, byte[] body) implements CommandResult {
    @Override
    public int estimatedSize() {
      return 128 + body.length * 4 / 3;
    }

    @Override
    public void writeTo(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeNumberField("status_code", status);
      json.writeObjectFieldStart("body");
      json.writeStringField("content_type", contentType);
      json.writeBinaryField("base64", body);
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  /** The proxy answers by itself. */
  record Failure(int status, String message, Outcome outcome) implements CommandResult {
    @Override
    public boolean isSent() {
      return outcome != Outcome.NOT_SENT;
    }

    @Override
    public boolean hadNoEffect() {
      return outcome == Outcome.NOT_SENT;
    }

    @Override
    public int estimatedSize() {
      return 96 + message.length();
    }

    @Override
    public void writeTo(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeNumberField("status_code", status);
      json.writeObjectFieldStart("body");
      json.writeStringField("message", message);
      json.writeStringField("outcome", outcome.name().toLowerCase(Locale.ROOT));
      json.writeEndObject();
      json.writeEndObject();
    }
  }

  /**
   * Asterisk's answer.
   *
   * @param contentType its Content-Type, or null
   * @param body its body; empty if it has none
   */
  static CommandResult of(int status, String contentType, byte[] body) {
    if (body.length == 0) {
      return new Status(status);
    }
    if ((contentType == null || JSON_CONTENT_TYPE.matcher(contentType).lookingAt())
        && isJson(body)) {
      return new Json(status, body);
    }
    return new Binary(status, contentType == null ? "application/octet-stream" : contentType, body);
  }

  /** One JSON value and nothing after it: it will stand in the envelope as it is. */
  private static boolean isJson(byte[] body) {
    try (JsonParser parser = JSON.createParser(body)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (IOException e) {
      return false;
    }
  }
}
