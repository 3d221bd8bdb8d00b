package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The parameters of a request beside those in its path: Asterisk takes them from the query, and
 * from a body that is a JSON object.
 *
 * @param url has the query
 * @param body any JSON; missing or null for none
 */
record AriParameters(AriUrl url, JsonNode body) {

  /**
   * The value that Asterisk takes, if it is a text: if the body has one, whatever it is, that of
   * the query does not count. An empty one is none.
   */
  Optional<String> text(String name) {
    Optional<String> value =
        body.has(name) ? Optional.ofNullable(body.get(name).textValue()) : url.queryParameter(name);
    return value.filter(text -> !text.isEmpty());
  }

  /** These with a value that Asterisk takes, where it took none before. */
  AriParameters with(String name, String value) {
    return body.has(name)
        // what stands there now would hide it in the query
        ? new AriParameters(url, ((ObjectNode) body).put(name, value))
        : new AriParameters(url.with(name, value), body);
  }

  /** The body as it is sent, or null. */
  byte[] bodyBytes() {
    return body.isMissingNode() || body.isNull()
        ? null
        : body.toString().getBytes(StandardCharsets.UTF_8);
  }
}
