// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.io.entity.InputStreamEntity;
import org.jspecify.annotations.Nullable;

/**
 * The complete body of a response, in UTF-8 if it is a text.
 *
 * <p>Camel decodes everything later in an exchange with the charset of the last response, also an
 * envelope, which is in UTF-8. Therefore no response keeps another charset.
 */
final class CompleteBody {

  private static final String CHARSET = "charset";

  private CompleteBody() {}

  /**
   * Replaces the body of a response with its bytes.
   *
   * @throws IOException if it is incomplete or too large; it is not closed then, since that reads
   *     its rest
   */
  static void read(ClassicHttpResponse response, int maxBytes) throws IOException {
    HttpEntity entity = response.getEntity();
    if (entity == null) {
      toUtf8(response, new byte[0]);
      return;
    }
    InputStream content = entity.getContent();
    byte[] body = content.readNBytes(maxBytes + 1);
    if (body.length > maxBytes) {
      throw new IOException("the response has more than " + maxBytes + " bytes");
    }
    content.close();
    byte[] converted = toUtf8(response, body);
    // Camel makes a stream readable more than once, but not an entity of bytes
    response.setEntity(
        new InputStreamEntity(
            new ByteArrayInputStream(converted),
            entity.getContentLength() < 0 ? -1 : converted.length,
            null,
            entity.getContentEncoding()));
  }

  /** Converts a text, and removes any other charset from the headers. */
  private static byte[] toUtf8(ClassicHttpResponse response, byte[] body) {
    Header[] types = response.getHeaders(HttpHeaders.CONTENT_TYPE);
    if (types.length == 0) {
      return body;
    }
    List<String> type =
        new ArrayList<>(List.of(String.valueOf(types[0].getValue()).split(";", -1)));
    List<String> charsets = type.stream().filter(CompleteBody::isCharset).toList();
    Charset charset = charsets.size() == 1 ? charset(charsets.get(0)) : null;
    boolean isUtf8 = charsets.isEmpty() || StandardCharsets.UTF_8.equals(charset);
    if (isUtf8 && types.length == 1) {
      return body;
    }
    byte[] converted = body;
    type.removeAll(charsets);
    if (charset != null && !type.isEmpty() && isText(type.get(0))) {
      converted = isUtf8 ? body : new String(body, charset).getBytes(StandardCharsets.UTF_8);
      type.add(CHARSET + "=utf-8");
    }
    response.removeHeaders(HttpHeaders.CONTENT_TYPE);
    if (!type.isEmpty()) {
      response.addHeader(HttpHeaders.CONTENT_TYPE, String.join(";", type));
    }
    if (converted.length != body.length && response.containsHeader(HttpHeaders.CONTENT_LENGTH)) {
      response.setHeader(HttpHeaders.CONTENT_LENGTH, converted.length);
    }
    return converted;
  }

  /** Whether Camel could find a charset in a part of a type. */
  private static boolean isCharset(String part) {
    return part.toLowerCase(Locale.ROOT).contains(CHARSET);
  }

  private static @Nullable Charset charset(String parameter) {
    String[] assignment = parameter.strip().split("=", 2);
    if (assignment.length != 2 || !assignment[0].equalsIgnoreCase(CHARSET)) {
      return null;
    }
    try {
      return Charset.forName(assignment[1].replace("\"", ""));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** XML declares its encoding itself. */
  private static boolean isText(String mediaType) {
    String type = mediaType.strip().toLowerCase(Locale.ROOT);
    return type.startsWith("text/") && !type.endsWith("xml")
        || type.equals("application/json")
        || type.endsWith("+json");
  }
}
