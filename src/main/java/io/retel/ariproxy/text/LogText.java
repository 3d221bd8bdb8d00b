// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import org.jspecify.annotations.Nullable;

/** Sanitizes external text for log lines and RESPONSE messages. */
public final class LogText {

  private static final int MAX_LENGTH = 200;

  private LogText() {}

  /** Returns the text as one line of at most 200 characters and an ellipsis; null for null. */
  public static @Nullable String abbreviate(@Nullable String text) {
    if (text == null) {
      return null;
    }
    String abbreviated =
        text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + "\u2026";
    return abbreviated.replaceAll("\\p{Cntrl}", " ");
  }
}
