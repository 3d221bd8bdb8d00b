// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.text.Utf8Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/** Detects JSON among the bodies of Asterisk's responses. */
final class ResponseBodies {

  private static final Pattern JSON_CONTENT_TYPE =
      Pattern.compile("application/json\\b", Pattern.CASE_INSENSITIVE);

  private ResponseBodies() {}

  /** Whether the Content-Type is JSON, with any parameters. */
  static boolean isJsonType(String contentType) {
    return JSON_CONTENT_TYPE.matcher(contentType).lookingAt();
  }

  /** Returns the instance of a channel or bridge; empty if the body describes another one. */
  static String instance(byte[] body, Resource resource) {
    String creationTime = "";
    String channelName = "";
    boolean describesId = false;
    try (JsonParser parser = Utf8Json.parser(body)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
          boolean isText = parser.nextToken() == JsonToken.VALUE_STRING;
          if (isText && name.equals("id")) {
            describesId = parser.getText().equals(resource.id());
          } else if (isText && name.equals("creationtime")) {
            creationTime = parser.getText();
          } else if (isText && name.equals("name") && resource.type() != ResourceType.BRIDGE) {
            channelName = parser.getText();
          }
          parser.skipChildren();
        }
      }
    } catch (IOException e) {
      return "";
    }
    return describesId ? Resource.channelInstance(creationTime, channelName) : "";
  }

  /**
   * Whether the body is exactly one JSON value in UTF-8, since it is embedded in the envelope
   * verbatim.
   */
  static boolean isJson(byte[] body) {
    try (JsonParser parser = Utf8Json.parser(body)) {
      if (parser.nextToken() == null) {
        return false;
      }
      parser.skipChildren();
      return parser.nextToken() == null && isUtf8(body);
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isUtf8(byte[] body) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer bytes = ByteBuffer.wrap(body);
    CharBuffer characters = CharBuffer.allocate(Math.min(body.length, 8_192));
    CoderResult result;
    do {
      result = decoder.decode(bytes, characters.clear(), true);
    } while (result.isOverflow());
    return !result.isError();
  }
}
