// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;

/**
 * JSON in UTF-8 without a byte order mark, which can be embedded in an envelope. Jackson also reads
 * other encodings, which it detects from the first four bytes.
 */
public final class Utf8Json {

  private static final JsonFactory JSON = JsonLimits.factory();

  private Utf8Json() {}

  /**
   * Returns a parser. It does not check the UTF-8 of values that are skipped.
   *
   * @throws JsonParseException if a text is in another encoding
   */
  public static JsonParser parser(byte[] text) throws IOException {
    JsonParser parser = JSON.createParser(text);
    if (isOtherEncoding(text)) {
      throw new JsonParseException(parser, "not in UTF-8, or with a byte order mark");
    }
    return parser;
  }

  /** JSON starts with an ASCII character, and has no NUL. */
  private static boolean isOtherEncoding(byte[] text) {
    for (int i = 0; i < Math.min(4, text.length); i++) {
      if (text[i] == 0) {
        return true;
      }
    }
    return text.length > 0 && text[0] < 0;
  }
}
