// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.regex.Pattern;

/** Detects JSON among the bodies of Asterisk's responses. */
final class ResponseBodies {

  private static final JsonFactory JSON = new JsonFactory();

  private static final Pattern JSON_CONTENT_TYPE =
      Pattern.compile("application/json\\b", Pattern.CASE_INSENSITIVE);

  private ResponseBodies() {}

  /** Whether the Content-Type is JSON, with any parameters. */
  static boolean isJsonType(String contentType) {
    return JSON_CONTENT_TYPE.matcher(contentType).lookingAt();
  }

  /**
   * Returns the creation time of the channel or bridge with this id; empty if it is another one.
   */
  static String creationTime(byte[] body, String id) {
    String creationTime = "";
    boolean describesId = false;
    try (JsonParser parser = JSON.createParser(body)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
          boolean isText = parser.nextToken() == JsonToken.VALUE_STRING;
          if (isText && name.equals("id")) {
            describesId = parser.getText().equals(id);
          } else if (isText && name.equals("creationtime")) {
            creationTime = parser.getText();
          }
          parser.skipChildren();
        }
      }
    } catch (IOException e) {
      return "";
    }
    return describesId ? creationTime : "";
  }

  /** Whether the body is exactly one JSON value, since it is embedded in the envelope verbatim. */
  static boolean isJson(byte[] body) {
    try (JsonParser parser = JSON.createParser(body)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null;
    } catch (IOException e) {
      return false;
    }
  }
}
