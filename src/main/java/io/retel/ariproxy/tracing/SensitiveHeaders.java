// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import java.util.regex.Pattern;

/** Headers hidden in traces, since producers of records can put secrets into them. */
final class SensitiveHeaders {

  private static final Pattern SENSITIVE_NAME =
      Pattern.compile(
          "auth|cookie|credential|passw|secret|token|api.?key", Pattern.CASE_INSENSITIVE);

  private SensitiveHeaders() {}

  static boolean matches(String header) {
    return SENSITIVE_NAME.matcher(header).find();
  }
}
