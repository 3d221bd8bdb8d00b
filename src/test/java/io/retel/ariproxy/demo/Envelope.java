// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A record read from Kafka: an event, a command or a RESPONSE.
 *
 * @param timestamp when it was sent to Kafka, in milliseconds
 * @param callContext its call context; empty for an unmapped event
 * @param type the event type; {@code RESPONSE} for a RESPONSE; empty for a command
 * @param commandId the id that a command and its RESPONSE share; empty for an event
 * @param json the envelope
 */
record Envelope(
    Kind kind, long timestamp, String callContext, String type, String commandId, JsonNode json) {

  /** In causal order: each kind can result only from the kinds before it. */
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

  /** Returns the text at a JSON pointer, or an empty string if it is missing. */
  String textAt(String pointer) {
    return json.at(pointer).asText("");
  }

  private static String text(JsonNode json, String field) {
    JsonNode value = json.path(field);
    return value.isTextual() ? value.textValue() : "";
  }
}
