package io.retel.ariproxy.tracing;

import java.util.regex.Pattern;

/** Tells which headers a trace does not show: whoever sends a record may put a secret into one. */
final class Secrets {

  private static final Pattern NAME =
      Pattern.compile(
          "auth|cookie|credential|passw|secret|token|api.?key", Pattern.CASE_INSENSITIVE);

  private Secrets() {}

  static boolean isNameOfOne(String header) {
    return NAME.matcher(header).find();
  }
}
