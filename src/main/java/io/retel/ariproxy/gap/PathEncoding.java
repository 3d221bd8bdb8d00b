package io.retel.ariproxy.gap;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Encoding of ids in the path of a request. */
final class PathEncoding {

  private PathEncoding() {}

  /** Percent-encodes an id. Asterisk decodes a plus in a path as a space (22.10.1 and 16.28). */
  static String encode(String id) {
    return URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
