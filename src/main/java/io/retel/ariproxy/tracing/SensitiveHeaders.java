package io.retel.ariproxy.tracing;

import java.util.regex.Pattern;

/** Tells which headers a trace does not show: whoever sends a record may put a secret into one. */
final class SensitiveHeaders {

  private static final Pattern SENSITIVE_NAME =
      Pattern.compile(
          "auth|cookie|credential|passw|secret|token|api.?key", Pattern.CASE_INSENSITIVE);

  private SensitiveHeaders() {}

  static boolean matches(String header) {
    return SENSITIVE_NAME.matcher(header).find();
  }
}
