// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Encodes ids in request paths. */
public final class PathEncoding {

  private PathEncoding() {}

  /** Percent-encodes an id. Asterisk decodes a plus in a path as a space (22.10.1 and 16.28). */
  public static String encode(String id) {
    return URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
