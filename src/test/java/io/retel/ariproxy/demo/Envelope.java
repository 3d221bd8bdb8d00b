package io.retel.ariproxy.demo;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What went through Kafka: an event, a command or a response.
 *
 * @param timestamp when it was handed to Kafka, in milliseconds
 * @param callContext the call it belongs to; empty for an unmapped event
 * @param type the event's type; {@code RESPONSE} for a response; empty for a command
 * @param commandId what a response shares with its command; empty for an event
 * @param json the envelope
 */
record Envelope(
    Kind kind, long timestamp, String callContext, String type, String commandId, JsonNode json) {

  /** In the order in which they follow from one another. */
  enum Kind {
    UNMAPPED,
    EVENT,
    COMMAND,
    RESPONSE
  }

  static Envelope of(Kind topic, long timestamp, JsonNode json) {
    String type = json.path("type").asText("");
    return new Envelope(
        topic == Kind.EVENT && type.equals("RESPONSE") ? Kind.RESPONSE : topic,
        timestamp,
        text(json, "callContext"),
        type,
        text(json, "commandId"),
        json);
  }

  boolean hasType(String eventType) {
    return type.equals(eventType);
  }

  /** The text at that place in the envelope, empty if there is none. */
  String textAt(String pointer) {
    return json.at(pointer).asText("");
  }

  private static String text(JsonNode json, String field) {
    JsonNode value = json.path(field);
    return value.isTextual() ? value.textValue() : "";
  }
}
