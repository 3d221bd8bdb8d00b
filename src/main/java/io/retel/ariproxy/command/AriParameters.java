// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The request parameters outside the path: Asterisk reads them from the query, and from a body that
 * is a JSON object.
 *
 * @param url the url with the query
 * @param body any JSON; missing or null for none
 */
record AriParameters(AriUrl url, JsonNode body) {

  /**
   * The value that Asterisk uses, if it is a non-empty string. A parameter in the body overrides
   * the query, even if its value is not a string.
   */
  Optional<String> text(String name) {
    Optional<String> value =
        body.has(name) ? Optional.ofNullable(body.get(name).textValue()) : url.queryParameter(name);
    return value.filter(text -> !text.isEmpty());
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
