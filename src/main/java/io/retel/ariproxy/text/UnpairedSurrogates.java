// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import java.nio.charset.StandardCharsets;

/**
 * Surrogates without their other half, which JSON can contain as an escape. UTF-8 cannot encode
 * them, so that a text with one differs between a record's key and its JSON.
 */
public final class UnpairedSurrogates {

  private UnpairedSurrogates() {}

  /** Whether UTF-8 cannot encode a text. */
  public static boolean isIn(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        i++;
        if (!Character.isHighSurrogate(c)
            || i == text.length()
            || !Character.isLowSurrogate(text.charAt(i))) {
          return true;
        }
      }
    }
    return false;
  }

  /** Replaces each with a question mark, as an encoder does. */
  public static String replaceIn(String text) {
    return isIn(text)
        ? new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
        : text;
  }
}
