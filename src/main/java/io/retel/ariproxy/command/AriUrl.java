// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The url of a command: a path below {@code /ari} with its query, validated so that it cannot
 * escape ARI.
 *
 * @param path percent-encoded as the controller wrote it, without the leading {@code /ari}
 * @param segments the path's segments, decoded
 * @param query percent-encoded as the controller wrote it, or null
 * @param queryParameters the query's names and values, decoded; of a repeated name, the last value
 */
public record AriUrl(
    String path,
    List<String> segments,
    @Nullable String query,
    Map<String, String> queryParameters) {

  private static final String ALLOWED_PUNCTUATION = "-._~!$&'()*+,;=:@/?%";
  private static final String PREFIX = "/ari";

  /**
   * Parses a url.
   *
   * @throws CommandRejectedException with status 400, if it is absolute, malformed or escapes ARI
   */
  public static AriUrl parse(String url) {
    if (!url.startsWith("/") || url.startsWith("//")) {
      throw rejection("must be a path below /ari, starting with one slash");
    }
    for (int i = 0; i < url.length(); i++) {
      char c = url.charAt(i);
      boolean letterOrDigit = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
      if (!letterOrDigit && ALLOWED_PUNCTUATION.indexOf(c) < 0) {
        throw rejection(
            String.format(
                "has a character at position %d (U+%04X) that must be percent-encoded",
                i, (int) c));
      }
      if (c == '%' && !(isHex(url, i + 1) && isHex(url, i + 2))) {
        throw rejection("has a percent sign without two hex digits");
      }
    }
    int questionMark = url.indexOf('?');
    String path = questionMark < 0 ? url : url.substring(0, questionMark);
    String query = questionMark < 0 ? null : url.substring(questionMark + 1);
    if (path.equals(PREFIX) || path.startsWith(PREFIX + "/")) {
      path = path.substring(PREFIX.length());
    }
    List<String> segments = new ArrayList<>();
    if (path.length() > 1) {
      for (String segment : path.substring(1).split("/", -1)) {
        segments.add(decodeSegment(segment));
      }
    }
    if (segments.isEmpty()) {
      throw rejection("does not name an ARI resource");
    }
    if (query != null && decode(query).indexOf('\0') >= 0) {
      // Asterisk would truncate the text there and see different names and ids
      throw rejection("must not have null bytes in its query");
    }
    Map<String, String> queryParameters = decodeQuery(query);
    // Asterisk treats this parameter name as case-insensitive
    if (queryParameters.keySet().stream().anyMatch("api_key"::equalsIgnoreCase)) {
      throw rejection("must not have an api_key: the proxy adds its own credentials");
    }
    return new AriUrl(path, List.copyOf(segments), query, queryParameters);
  }

  /** Returns the url of a request: path and query of one that was parsed before. */
  static AriUrl of(String path, @Nullable String query) {
    return parse(PREFIX + path + (query == null ? "" : "?" + query));
  }

  /** The last value of a query parameter. */
  Optional<String> queryParameter(String name) {
    return Optional.ofNullable(queryParameters.get(name));
  }

  /** Adds a query parameter; name and value must not need encoding. */
  AriUrl with(String name, String value) {
    String prefix = query == null || query.isEmpty() ? "" : query + "&";
    Map<String, String> extended = new HashMap<>(queryParameters);
    extended.put(name, value);
    return new AriUrl(path, segments, prefix + name + "=" + value, extended);
  }

  private static Map<String, String> decodeQuery(@Nullable String query) {
    if (query == null) {
      return Map.of();
    }
    Map<String, String> parameters = new HashMap<>();
    for (String pair : query.split("&")) {
      int separator = pair.indexOf('=');
      parameters.put(
          decode(separator < 0 ? pair : pair.substring(0, separator)),
          separator < 0 ? "" : decode(pair.substring(separator + 1)));
    }
    return parameters;
  }

  private static boolean isHex(String url, int i) {
    return i < url.length() && Character.digit(url.charAt(i), 16) >= 0;
  }

  private static String decodeSegment(String segment) {
    // Asterisk also decodes a plus as a space here
    String decoded = decode(segment);
    if (decoded.isEmpty()) {
      throw rejection("has an empty path segment");
    }
    for (String part : decoded.split("[/\\\\]", -1)) {
      if (part.equals("..") || part.equals(".")) {
        throw rejection("must not have . or .. in its path");
      }
    }
    if (decoded.chars().anyMatch(Character::isISOControl)) {
      throw rejection("must not have control characters in its path");
    }
    return decoded;
  }

  /**
   * Decodes strictly: while a bridge with a non-UTF-8 id exists, Asterisk no longer responds to GET
   * /bridges.
   */
  private static String decode(String encoded) {
    byte[] bytes = URLDecoder.decode(encoded, ISO_8859_1).getBytes(ISO_8859_1);
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw rejection("has percent-encoded bytes that are not UTF-8");
    }
  }

  private static CommandRejectedException rejection(String reason) {
    return new CommandRejectedException(400, "The command's url " + reason);
  }
}
