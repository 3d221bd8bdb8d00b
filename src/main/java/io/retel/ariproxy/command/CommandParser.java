// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.envelope.CommandRequest;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.text.JsonLimits;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.text.UnpairedSurrogates;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Parses records into {@link Command}s. A malformed record becomes a rejected command with as many
 * of the fields its RESPONSE needs as could be read.
 */
public final class CommandParser {

  /** Maximum number of JSON tokens in a record: a tree takes many times the heap of its bytes. */
  private static final long MAX_TOKENS = 100_000;

  static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(JsonLimits.constraints().maxTokenCount(MAX_TOKENS).build())
                  .build())
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          // preserves the precision of numbers in a body
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();
  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "DELETE");

  /** Maximum length of a command's id: its RESPONSE must fit in a record. */
  private static final int MAX_COMMAND_ID_LENGTH = 65_536;

  /** Maximum length of a url, larger than Asterisk's own limit. */
  private static final int MAX_URL_LENGTH = 16_384;

  /**
   * Maximum length of an id in a path: Asterisk reads 4,095 bytes of a request line, which also has
   * a method, the rest of the path and a version.
   */
  private static final int MAX_ENCODED_ID_LENGTH = 3_900;

  private final CallContexts callContexts;

  public CommandParser(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  /**
   * Parses a command; never throws for a malformed one.
   *
   * @param origin the position of the record in Kafka
   * @param value the record's value, or null
   */
  public Command parse(RecordPosition origin, byte @Nullable [] value) {
    byte[] content = value == null ? new byte[0] : value;
    JsonNode json;
    try {
      json = parseJson(content);
    } catch (StreamConstraintsException e) {
      return rejected(
          origin,
          CommandDeserializer.readFields(content, 0, content.length),
          new CommandRejectedException(
              400, "The record is not JSON within the limits: " + e.getOriginalMessage()));
    } catch (CommandRejectedException e) {
      return new Command.Rejected(origin, new CommandRequest(null, null, null, null), e);
    }
    return parse(origin, json);
  }

  /** Rejects a record that is too large to be a command, or whose body is too large. */
  Command.Rejected reject(RecordPosition origin, LargeRecord large) {
    ObjectNode fields = large.fields();
    if (scalarText(fields.path("callContext")) == null) {
      // its RESPONSE keeps the order of the call
      addCallContext(origin, fields);
    }
    return rejected(origin, fields, new CommandRejectedException(413, large.problem()));
  }

  /** Adds the call context that the url determines, if it does. */
  private void addCallContext(RecordPosition origin, ObjectNode fields) {
    JsonNode ariCommand = fields.path("ariCommand");
    String url = text(ariCommand.path("url"));
    try {
      checkLength("url", url, MAX_URL_LENGTH);
      String callContext =
          resolveCallContext(
              origin,
              prepare(origin, text(ariCommand.path("method")), url, MissingNode.getInstance()));
      fields.put("callContext", callContext);
    } catch (CommandRejectedException e) {
      // has none
    }
  }

  private Command parse(RecordPosition origin, JsonNode json) {
    String callContext = scalarText(json.path("callContext"));
    JsonNode commandId = commandId(json);
    JsonNode ariCommand = json.path("ariCommand");
    String method = text(ariCommand.path("method"));
    String url = text(ariCommand.path("url"));
    JsonNode body = ariCommand.path("body");
    try {
      if (callContext == null && json.path("callContext").isContainerNode()) {
        throw new CommandRejectedException(400, "The command's callContext must be a string");
      }
      String commandIdText = commandId == null ? null : commandId.toString();
      String bodyText = body.toString();
      checkLength("callContext", callContext, Resource.MAX_ID_LENGTH);
      checkLength("commandId", commandIdText, MAX_COMMAND_ID_LENGTH);
      checkLength("method", method, MAX_URL_LENGTH);
      checkLength("url", url, MAX_URL_LENGTH);
      checkEncodable("callContext", callContext);
      checkEncodable("commandId", commandIdText);
      checkEncodable("body", bodyText);
      Instant expiresAt = expiresAt(json.path("expiresAt"));
      UUID fingerprint = fingerprint(method, url, bodyText);
      PreparedRequest prepared = prepare(origin, method, url, body);
      checkIds(prepared);
      String effectiveCallContext =
          callContext != null ? callContext : resolveCallContext(origin, prepared);
      return new Command.Accepted(
          origin,
          new CommandRequest(effectiveCallContext, commandId, method, url),
          fingerprint,
          expiresAt,
          prepared);
    } catch (CommandRejectedException e) {
      return rejected(origin, json, e);
    }
  }

  private static Command.Rejected rejected(
      RecordPosition origin, JsonNode json, CommandRejectedException reason) {
    String callContext = scalarText(json.path("callContext"));
    JsonNode commandId = commandId(json);
    String method = text(json.path("ariCommand").path("method"));
    String original = text(json.path("ariCommand").path("url"));
    // not every reader of RESPONSEs is allowed to see the credentials
    String url = original == null ? null : PayloadMasker.maskCredentials(original);
    return new Command.Rejected(
        origin,
        new CommandRequest(
            isUsableId(callContext, Resource.MAX_ID_LENGTH) ? callContext : null,
            commandId != null && isUsableId(commandId.toString(), MAX_COMMAND_ID_LENGTH)
                ? commandId
                : null,
            withinLength(method, MAX_URL_LENGTH) ? method : LogText.abbreviate(method),
            withinLength(url, MAX_URL_LENGTH) ? url : LogText.abbreviate(url)),
        reason);
  }

  private static @Nullable JsonNode commandId(JsonNode json) {
    JsonNode commandId = json.hasNonNull("commandId") ? json.get("commandId") : null;
    // the command is kept while it waits, and in the cache of RESPONSEs
    return commandId != null && commandId.isContainerNode() ? rawValue(commandId) : commandId;
  }

  /** Returns JSON whose heap is that of its text. */
  static JsonNode rawValue(JsonNode json) {
    return JSON.getNodeFactory().rawValueNode(new RawValue(json.toString()));
  }

  static void checkLength(String name, @Nullable String text, int maxLength) {
    if (!withinLength(text, maxLength)) {
      throw new CommandRejectedException(
          400, "The command's " + name + " is longer than " + maxLength + " characters");
    }
  }

  /** Rejects ids that are too long for a mapping, or for the path of a request. */
  private static void checkIds(PreparedRequest prepared) {
    for (List<Resource> mapped : List.of(prepared.created(), prepared.claimed())) {
      for (Resource resource : mapped) {
        checkLength("id of a new resource", resource.id(), Resource.MAX_ID_LENGTH);
        int encoded = PathEncoding.encode(resource.id()).length();
        if (encoded > MAX_ENCODED_ID_LENGTH) {
          throw new CommandRejectedException(
              400,
              "The command's id of a new resource has "
                  + encoded
                  + " bytes in a path; the limit is "
                  + MAX_ENCODED_ID_LENGTH
                  + ": Asterisk could read no request for it");
        }
      }
    }
  }

  private static void checkEncodable(String name, @Nullable String text) {
    if (text != null && UnpairedSurrogates.isIn(text)) {
      throw new CommandRejectedException(
          400,
          "The command's "
              + name
              + " has an unpaired surrogate, such as \\ud800, which UTF-8 cannot encode");
    }
  }

  private static boolean isUsableId(@Nullable String text, int maxLength) {
    return withinLength(text, maxLength) && (text == null || !UnpairedSurrogates.isIn(text));
  }

  private static boolean withinLength(@Nullable String text, int maxLength) {
    return text == null || text.length() <= maxLength;
  }

  /** Identifies method, url and body as the controller wrote them, before an id is added. */
  private static UUID fingerprint(@Nullable String method, @Nullable String url, String body) {
    String content = method + " " + url + " " + body;
    return UUID.nameUUIDFromBytes(content.getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode parseJson(byte[] value) throws StreamConstraintsException {
    if (value.length == 0) {
      throw new CommandRejectedException(400, "The record is empty; expected a JSON object");
    }
    JsonNode json;
    try {
      json = JSON.readTree(value);
    } catch (StreamConstraintsException e) {
      throw e;
    } catch (JsonProcessingException e) {
      JsonLocation location = e.getLocation();
      throw new CommandRejectedException(
          400,
          "The record is not JSON"
              + (location == null
                  ? ""
                  : ": error at line %d, column %d"
                      .formatted(location.getLineNr(), location.getColumnNr())));
    } catch (IOException | NumberFormatException e) {
      // thrown for a number with an excessive exponent
      throw new CommandRejectedException(400, "The record is not JSON");
    }
    if (!json.isObject()) {
      throw new CommandRejectedException(400, "The record is not a JSON object");
    }
    return json;
  }

  private static PreparedRequest prepare(
      RecordPosition origin, @Nullable String method, @Nullable String url, JsonNode body) {
    if (method == null) {
      throw new CommandRejectedException(400, "The command has no ariCommand.method");
    }
    if (!METHODS.contains(method)) {
      throw new CommandRejectedException(
          400, "The command's method must be GET, POST, PUT or DELETE");
    }
    if (url == null) {
      throw new CommandRejectedException(400, "The command has no ariCommand.url");
    }
    return PreparedRequest.of(origin, method, url, body);
  }

  /**
   * Returns the call context of the first mapped resource; a command that creates a resource
   * outside any call, or with the id of an ended one, gets a new one. Null if neither applies.
   */
  private @Nullable String resolveCallContext(RecordPosition origin, PreparedRequest prepared) {
    for (Resource resource : prepared.resources()) {
      boolean isRecreated =
          prepared.created().contains(resource)
              && callContexts.peek(resource).filter(Mapping::ended).isPresent();
      Optional<String> known = isRecreated ? Optional.empty() : callContexts.lookup(resource);
      if (known.isPresent()) {
        return known.get();
      }
    }
    return prepared.created().isEmpty() && prepared.claimed().isEmpty()
        ? null
        : origin.derivedId("callContext");
  }

  private static @Nullable Instant expiresAt(JsonNode node) {
    if (node.isMissingNode() || node.isNull()) {
      return null;
    }
    try {
      return OffsetDateTime.parse(node.asText()).toInstant();
    } catch (DateTimeParseException e) {
      throw new CommandRejectedException(
          400, "The command's expiresAt must be a time with a zone, like 2030-01-31T12:00:00Z");
    }
  }

  /** Accepts a number or boolean instead of a string; null if empty. */
  private static @Nullable String scalarText(JsonNode node) {
    return node.isNumber() || node.isBoolean() ? node.asText() : text(node);
  }

  private static @Nullable String text(JsonNode node) {
    return node.isTextual() && !node.textValue().isEmpty() ? node.textValue() : null;
  }
}
