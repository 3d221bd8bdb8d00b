// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.TooLargeException;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.JsonLimits;
import io.retel.ariproxy.text.LogText;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The result of one request to Asterisk.
 *
 * @param status HTTP status, {@link #NO_RESPONSE}, {@link #NOT_REACHED} or {@link #HANGS}
 * @param json the body of a 200, or null; also null for a list that was read by its elements
 * @param problem why the JSON is missing, as a clause; empty if it is not
 */
record Answer(int status, @Nullable JsonNode json, String problem) {

  /** The request was sent, but a usable response is missing. */
  static final int NO_RESPONSE = 0;

  static final int NOT_REACHED = -1;

  /** Asterisk is still executing the request, or another one that hangs. */
  static final int HANGS = -2;

  /**
   * A list of ARI has about 8 bytes per token. Without a limit, the shortest tokens would take 30
   * times their bytes.
   */
  private static final long MAX_TOKENS = Runtime.getRuntime().maxMemory() / 128 / 5;

  private static final ObjectMapper LISTS = mapper(MAX_TOKENS);

  /** Without a limit of tokens, since only one element of a list is in memory. */
  static final ObjectMapper ELEMENTS =
      mapper(-1).copy().disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final String WITHOUT_BODY = " without a body";

  /** Many are read at the same time; a channel has about 40 tokens. */
  private static final ObjectMapper RESOURCES = mapper(MAX_TOKENS / 16);

  private static ObjectMapper mapper(long maxTokens) {
    return JsonMapper.builder(
            JsonFactory.builder()
                // a long list can have any number of names
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .streamReadConstraints(
                    JsonLimits.constraints()
                        .maxTokenCount(maxTokens)
                        // an event contains a description in an object and an array
                        .maxNestingDepth(StreamReadConstraints.DEFAULT_MAX_DEPTH - 2)
                        .build())
                .build())
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build();
  }

  /** Asks for a list. */
  static Answer ofList(AriClient client, String path) {
    return of(client, "GET", path, LISTS, Long.MAX_VALUE, JsonNodeType.ARRAY);
  }

  /**
   * Asks for a list, and passes its elements on one by one as they arrive; those before a problem
   * as well.
   */
  static Answer ofElements(AriClient client, String path, Consumer<JsonNode> element) {
    return attempt(
        "GET",
        path,
        problem -> {
          AtomicBoolean empty = new AtomicBoolean();
          int status =
              client.readList(
                  path,
                  AriClient.MAX_LIST_BYTES,
                  body -> empty.set(!JsonList.read(ELEMENTS, body, element)));
          if (status != 200) {
            return new Answer(status, null, problem.apply(status));
          }
          return new Answer(200, null, empty.get() ? problem.apply(200) + WITHOUT_BODY : "");
        });
  }

  /** Asks for an application, which has a list of its channels. */
  static Answer ofApplication(AriClient client, String path) {
    return of(client, "GET", path, LISTS, Long.MAX_VALUE, JsonNodeType.OBJECT);
  }

  /**
   * Sends a request that concerns one resource. Its response is limited like an element of a list,
   * since many are parsed at the same time.
   */
  static Answer of(AriClient client, String method, String path) {
    return of(client, method, path, RESOURCES, JsonList.MAX_ELEMENT_BYTES, JsonNodeType.OBJECT);
  }

  private static Answer of(
      AriClient client,
      String method,
      String path,
      ObjectMapper json,
      long maxBytes,
      JsonNodeType type) {
    return attempt(
        method,
        path,
        problem -> {
          AriClient.Response response = client.send(method, path, null, maxBytes);
          if (response.status() != 200) {
            return new Answer(response.status(), null, problem.apply(response.status()));
          }
          if (response.body().isBlank()) {
            return new Answer(200, null, problem.apply(200) + WITHOUT_BODY);
          }
          JsonNode body = json.readTree(response.body());
          // such as a page of what answers in Asterisk's place: an empty list would end all calls
          return body.getNodeType() == type
              ? new Answer(200, body, "")
              : new Answer(NO_RESPONSE, null, problem.apply(200) + without(type));
        });
  }

  private static String without(JsonNodeType type) {
    return " without a JSON " + type.name().toLowerCase(Locale.ROOT);
  }

  /** Sends a request, and describes a response with a status. */
  @FunctionalInterface
  private interface Attempt {
    Answer send(IntFunction<String> problem) throws IOException;
  }

  private static Answer attempt(String method, String path, Attempt attempt) {
    // kept as long as the question is open
    String request = method + " " + LogText.abbreviate(path.replaceFirst("\\?.*", ""));
    try {
      return attempt.send(status -> request + " responded with " + status);
    } catch (StreamConstraintsException e) {
      return tooLarge(request + " responded with too large JSON");
    } catch (MismatchedInputException e) {
      return new Answer(
          NO_RESPONSE, null, request + " responded with 200" + without(JsonNodeType.ARRAY));
    } catch (JsonProcessingException e) {
      return new Answer(NO_RESPONSE, null, request + " responded with malformed JSON");
    } catch (TooLargeException e) {
      return tooLarge(request + " failed: " + ErrorMessages.singleLine(e));
    } catch (IOException e) {
      return new Answer(
          AriClient.isConnectFailure(e) ? NOT_REACHED : NO_RESPONSE,
          null,
          request + " failed: " + LogText.abbreviate(ErrorMessages.singleLine(e)));
    }
  }

  /** It would be too large again: as a resource that Asterisk does not describe. */
  private static Answer tooLarge(String problem) {
    return new Answer(200, null, problem);
  }

  /**
   * Returns this answer if it describes the requested resource, or nothing. What answers in
   * Asterisk's place can respond with any JSON.
   *
   * @param field the name of the field with the id
   */
  Answer describing(String field, String id) {
    return json == null || json.path(field).asText().equals(id)
        ? this
        : new Answer(
            NO_RESPONSE,
            null,
            "the description of " + LogText.abbreviate(id) + " is that of something else");
  }

  /** Whether the response is what was requested. */
  boolean isComplete() {
    return problem.isEmpty();
  }

  boolean isNotFound() {
    return status == 404;
  }

  /**
   * Whether Asterisk failed on this request, so that others can succeed: a list fails with its
   * worst element.
   */
  boolean isFailure() {
    return status == NO_RESPONSE || isUndescribable();
  }

  /**
   * Whether Asterisk fails to describe the resource, or its description is too large. It responds
   * with 200 and no body for a channel or bridge (docs/contract.md#asterisk), with 400 to an id
   * that is too long for a request line, and with 503 to any request while it starts.
   */
  boolean isUndescribable() {
    return (status == 200 && json == null && !isComplete())
        || status == 400
        || (status >= 500 && status != 503);
  }
}
