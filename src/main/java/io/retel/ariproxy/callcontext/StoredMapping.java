// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.retel.ariproxy.ari.Resource;
import java.io.UncheckedIOException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
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

  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /**
   * Reads the stored form of a mapping.
   *
   * @throws IllegalArgumentException if it is null
   */
  static StoredMapping fromJson(String json) throws JsonProcessingException {
    StoredMapping mapping = JSON.readValue(json, StoredMapping.class);
    if (mapping == null) {
      throw new IllegalArgumentException("it is null");
    }
    return mapping;
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
    if (Stream.of(callContext, application, instance)
        .anyMatch(text -> text != null && Resource.isTooLong(text))) {
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
}
