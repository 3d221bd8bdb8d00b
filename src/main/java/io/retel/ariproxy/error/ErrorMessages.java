// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

/** Single-line messages of failures' root causes. */
public final class ErrorMessages {

  private ErrorMessages() {}

  /** Returns the root cause's message, or its class name if it has none, on one line. */
  public static String singleLine(Throwable throwable) {
    Throwable root = rootCause(throwable);
    String message = root.getMessage();
    return message == null || message.isBlank()
        ? root.getClass().getSimpleName()
        : singleLine(message);
  }

  /** Returns the innermost cause. */
  static Throwable rootCause(Throwable throwable) {
    Throwable root = throwable;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  static String singleLine(String message) {
    return message.strip().replaceAll("\\s*\\R\\s*", " | ");
  }
}
