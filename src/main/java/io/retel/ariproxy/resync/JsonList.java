// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.FilterInputStream;
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
    ElementLimit limit = new ElementLimit(text);
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

  /** Fails if more than an element's bytes are read between two elements. */
  private static final class ElementLimit extends FilterInputStream {

    private long bytes;

    ElementLimit(InputStream in) {
      super(in);
    }

    void restart() {
      bytes = 0;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      count(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = super.read(buffer, offset, length);
      count(Math.max(count, 0));
      return count;
    }

    private void count(int read) throws IOException {
      bytes += read;
      if (bytes > MAX_ELEMENT_BYTES) {
        throw new IOException(
            "an element of the list has more than " + MAX_ELEMENT_BYTES + " bytes");
      }
    }
  }
}
