// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.Resource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The JSON of a mapping in the store, without fields that have their default value. The names of
 * its fields never change: proxies of different versions read it.
 *
 * @param pending whether the command that creates the resource was still running
 * @param hungUp whether it is a hung-up channel
 * @param unconfirmed whether the outcome of that command is unknown
 * @param instance null if unknown
 */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
record StoredMapping(
    @Nullable String callContext,
    @Nullable String application,
    boolean created,
    boolean pending,
    boolean hungUp,
    boolean unconfirmed,
    long usedAt,
    @Nullable String instance) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads the stored form of a mapping; a start reads a million.
   *
   * @throws IllegalArgumentException if it is not an object, or a field has another type
   */
  static StoredMapping fromJson(String json) throws JsonProcessingException {
    String callContext = null;
    String application = null;
    boolean created = false;
    boolean pending = false;
    boolean hungUp = false;
    boolean unconfirmed = false;
    long usedAt = 0;
    String instance = null;
    try (JsonParser fields = JSON.createParser(json)) {
      if (fields.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("it is not an object");
      }
      while (fields.nextToken() == JsonToken.FIELD_NAME) {
        String name = fields.currentName();
        JsonToken value = fields.nextToken();
        switch (name) {
          case "callContext" -> callContext = text(fields, value);
          case "application" -> application = text(fields, value);
          case "created" -> created = bool(value);
          case "pending" -> pending = bool(value);
          case "hungUp" -> hungUp = bool(value);
          case "unconfirmed" -> unconfirmed = bool(value);
          case "usedAt" -> usedAt = number(fields, value);
          case "instance" -> instance = text(fields, value);
          // of a newer proxy
          default -> fields.skipChildren();
        }
      }
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      // reads from memory
      throw new UncheckedIOException(e);
    }
    return new StoredMapping(
        callContext, application, created, pending, hungUp, unconfirmed, usedAt, instance);
  }

  private static @Nullable String text(JsonParser fields, JsonToken value) throws IOException {
    check(value == JsonToken.VALUE_STRING || value == JsonToken.VALUE_NULL);
    return value == JsonToken.VALUE_NULL ? null : fields.getText();
  }

  private static boolean bool(JsonToken value) {
    check(value.isBoolean());
    return value == JsonToken.VALUE_TRUE;
  }

  private static long number(JsonParser fields, JsonToken value) throws IOException {
    check(value == JsonToken.VALUE_NUMBER_INT);
    return fields.getLongValue();
  }

  private static void check(boolean hasType) {
    if (!hasType) {
      throw new IllegalArgumentException("a field has another type");
    }
  }

  String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      // strings and numbers always serialize
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the stored form of a mapping that has not ended. */
  static StoredMapping of(Mapping mapping) {
    return new StoredMapping(
        mapping.callContext(),
        mapping.application(),
        mapping.created(),
        mapping.state().isPending(),
        mapping.state().isHungUp(),
        mapping.unconfirmed(),
        mapping.usedAt(),
        mapping.instance().isEmpty() ? null : mapping.instance());
  }

  /**
   * Returns the mapping.
   *
   * @param shared returns an equal text that mappings share
   * @throws IllegalArgumentException if it has no call context, or a text that no proxy has written
   */
  Mapping toMapping(UnaryOperator<String> shared) {
    if (callContext == null) {
      throw new IllegalArgumentException("call context is missing");
    }
    if (isTooLong(callContext) || isTooLong(application) || isTooLong(instance)) {
      throw new IllegalArgumentException(
          "a text has more than " + Resource.MAX_ID_LENGTH + " characters");
    }
    return new Mapping(
        callContext,
        null,
        application == null ? null : shared.apply(application),
        created,
        MappingState.ofStored(pending, hungUp, unconfirmed),
        usedAt,
        instance == null ? "" : instance);
  }

  private static boolean isTooLong(@Nullable String text) {
    return text != null && Resource.isTooLong(text);
  }
}
