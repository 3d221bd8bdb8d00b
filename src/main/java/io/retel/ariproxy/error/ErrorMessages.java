// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import java.net.UnknownHostException;

/** Single-line messages of failures. */
public final class ErrorMessages {

  /** Causes to search, since a chain of causes can have a cycle. */
  private static final int MAX_CAUSES = 20;

  private ErrorMessages() {}

  /** Returns the root cause's message, or its class name if it has none, on one line. */
  public static String singleLine(Throwable throwable) {
    return ownMessage(rootCause(throwable));
  }

  /** Returns its own message instead of its cause's, otherwise like {@link #singleLine}. */
  public static String ownMessage(Throwable throwable) {
    String message = throwable.getMessage();
    if (message == null || message.isBlank()) {
      return throwable.getClass().getSimpleName();
    }
    return singleLine(throwable instanceof UnknownHostException ? unresolved(message) : message);
  }

  /**
   * Names the host only: a lookup has another message than one from the JVM's cache, so that one
   * outage would have two messages.
   */
  private static String unresolved(String message) {
    return "name cannot be resolved: "
        + message.replaceFirst("^Unable to resolve host ", "").replaceFirst("(: | ).*", "");
  }

  /** Returns the innermost cause, or one of a cycle. */
  static Throwable rootCause(Throwable throwable) {
    Throwable root = throwable;
    for (int i = 0; root.getCause() != null && i < MAX_CAUSES; i++) {
      root = root.getCause();
    }
    return root;
  }

  static String singleLine(String message) {
    // from the first space on: otherwise quadratic in a long run of spaces
    return message.strip().replaceAll("(?<!\\s)\\s*\\R\\s*", " | ");
  }
}
