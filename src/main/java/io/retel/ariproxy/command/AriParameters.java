// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.AriOperations;
import io.retel.ariproxy.ari.Resource;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The request parameters outside the path: Asterisk reads them from the query, and from a body that
 * is a JSON object.
 *
 * @param url the url with the query
 * @param body any JSON; missing or null for none
 */
record AriParameters(AriUrl url, JsonNode body) {

  private static final String EVENT_SOURCE = "eventSource";

  /** Lists of objects: those of an event filter and of a dynamic configuration. */
  private static final Set<String> OBJECT_LISTS = Set.of("allowed", "disallowed", "fields");

  /**
   * The value that Asterisk uses, if it is a non-empty string. A parameter in the body overrides
   * the query, even if its value is not a string.
   */
  Optional<String> text(String name) {
    Optional<String> value =
        body.has(name) ? Optional.ofNullable(body.get(name).textValue()) : url.queryParameter(name);
    return value.filter(text -> !text.isEmpty());
  }

  /**
   * The name of a list in the body with an element that is not a string: Asterisk crashes on it
   * (docs/contract.md#asterisk).
   */
  Optional<String> malformedList() {
    return body.properties().stream()
        .filter(parameter -> parameter.getValue().isArray())
        .filter(parameter -> !OBJECT_LISTS.contains(parameter.getKey()))
        .filter(parameter -> !isListOfStrings(parameter.getValue()))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static boolean isListOfStrings(JsonNode list) {
    for (JsonNode element : list) {
      if (!element.isTextual()) {
        return false;
      }
    }
    return true;
  }

  /** The existing resources and the applications that they name (docs/contract.md#fencing). */
  List<Resource> namedResources() {
    return AriOperations.namedResources(this::texts);
  }

  /** Whether they name a Stasis application. */
  boolean namesApplication() {
    return AriOperations.namesApplication(
        name -> !body.path(name).isEmpty() || text(name).isPresent());
  }

  /**
   * The event sources of a subscription: a JSON array or one string in the body, or separated by
   * commas in the query (docs/contract.md#asterisk).
   */
  List<String> eventSources() {
    JsonNode value = body.path(EVENT_SOURCE);
    if (value.isArray()) {
      List<String> sources = new ArrayList<>(value.size());
      value.forEach(source -> sources.add(source.asText()));
      return sources;
    }
    return text(EVENT_SOURCE)
        .map(text -> value.isMissingNode() ? List.of(text.split(",")) : List.of(text))
        .orElse(List.of());
  }

  /** All values that Asterisk can use: a JSON array, or separated by commas. */
  private List<String> texts(String name) {
    JsonNode value = body.path(name);
    List<String> texts = new ArrayList<>(1);
    if (value.isArray()) {
      value.forEach(element -> texts.add(element.asText()));
    } else {
      text(name).ifPresent(text -> texts.addAll(List.of(text.split(","))));
    }
    return texts;
  }

  /** The call contexts that channel variables of the request set. */
  List<String> assignedCallContexts() {
    List<String> assigned = new ArrayList<>(1);
    for (Map.Entry<String, JsonNode> variable : body.path("variables").properties()) {
      if (AriEvent.isCallContextVariable(variable.getKey())) {
        JsonNode value = variable.getValue();
        assigned.add(value.path("value").asText(value.asText()));
      }
    }
    text("variable")
        .filter(AriEvent::isCallContextVariable)
        .flatMap(name -> text("value"))
        .ifPresent(assigned::add);
    return assigned;
  }

  /** Sets a parameter that has no usable value yet. */
  AriParameters with(String name, String value) {
    return body.has(name)
        // the present value would override the query
        ? new AriParameters(url, ((ObjectNode) body).put(name, value))
        : new AriParameters(url.with(name, value), body);
  }

  /** The body to send, or null. */
  byte @Nullable [] bodyBytes() {
    return body.isMissingNode() || body.isNull()
        ? null
        : body.toString().getBytes(StandardCharsets.UTF_8);
  }
}
