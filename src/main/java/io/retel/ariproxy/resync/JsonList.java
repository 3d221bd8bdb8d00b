// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import io.retel.ariproxy.ari.http.LimitedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

/** Reads a JSON array element by element, since a tree would take many times its bytes. */
final class JsonList {

  /** Limit of an element: a channel has about 1,000 bytes, and its tree up to 30 times as many. */
  static final long MAX_ELEMENT_BYTES = Math.min(1L << 20, Runtime.getRuntime().maxMemory() / 256);

  private JsonList() {}

  /**
   * Reads an array.
   *
   * @return false if the text is empty
   * @throws MismatchedInputException if it is something else than an array
   * @throws IOException also if an element is too large
   */
  static boolean read(ObjectMapper json, InputStream text, Consumer<JsonNode> element)
      throws IOException {
    LimitedInputStream limit =
        new LimitedInputStream(text, MAX_ELEMENT_BYTES, "an element of the list");
    try (JsonParser parser = json.createParser(limit)) {
      parser.disable(JsonParser.Feature.AUTO_CLOSE_SOURCE);
      JsonToken first = parser.nextToken();
      if (first == null) {
        return false;
      }
      if (first != JsonToken.START_ARRAY) {
        throw MismatchedInputException.from(parser, JsonNode.class, "not an array");
      }
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        element.accept(json.readTree(parser));
        limit.restart();
      }
      if (parser.nextToken() != null) {
        throw MismatchedInputException.from(parser, JsonNode.class, "more than an array");
      }
      return true;
    }
  }
}
