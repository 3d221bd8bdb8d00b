package io.retel.ariproxy.gap;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** How an id is written in the path of a request. */
final class PathEncoding {

  private PathEncoding() {}

  /** Percent-encoded: Asterisk takes a plus in a path as a space (22.10.1 and 16.28). */
  static String encode(String id) {
    return URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
