// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

/** Single-line messages of startup failures. */
public final class StartupErrors {

  private StartupErrors() {}

  /** Returns the outermost message and the root cause; causes between them repeat it. */
  public static String singleLine(Throwable throwable) {
    String rootMessage = String.valueOf(ErrorMessages.rootCause(throwable).getMessage());
    String topMessage = String.valueOf(throwable.getMessage());
    String message =
        topMessage.contains(rootMessage)
            ? topMessage
            : topMessage.lines().findFirst().orElse("") + ": " + rootMessage;
    return ErrorMessages.singleLine(message);
  }
}
