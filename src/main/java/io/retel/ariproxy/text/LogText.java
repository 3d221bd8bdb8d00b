// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Foreign text as a person may see it: on one line, of bounded length, without characters that a
 * terminal executes or that change the order or the number of the visible ones.
 *
 * <p>Such a character becomes its Java escape: control characters (C0, DEL, C1), format characters
 * (bidirectional controls, zero-width, byte order mark), line and paragraph separators, and
 * unpaired surrogates. Other characters stay, in any language. Escaping twice changes nothing.
 */
public final class LogText {

  /** Maximum length of an id, a name or another value within a line. */
  public static final int MAX_VALUE_LENGTH = 200;

  /** Maximum length of the message of an exception, and of a value that is not in a line. */
  public static final int MAX_DETAIL_LENGTH = 4_096;

  /** Maximum length of a log message. As UTF-8 it fits in a line of journald, 48 KB. */
  public static final int MAX_MESSAGE_LENGTH = 16_000;

  private static final HexFormat HEX = HexFormat.of();

  private LogText() {}

  /** Returns a value for a line, of at most {@link #MAX_VALUE_LENGTH}; null for null. */
  public static @Nullable String abbreviate(@Nullable String text) {
    return text == null ? null : escape(text, MAX_VALUE_LENGTH);
  }

  /**
   * Returns the text with escapes; the same object if it needs none and is not too long. A longer
   * text is cut, and its end names the original length: {@code … (1048576 characters)}.
   *
   * @param maxLength the maximum length of the result, including the mark of a cut
   */
  public static String escape(String text, int maxLength) {
    int end = Math.min(text.length(), maxLength);
    int unsafe = 0;
    while (unsafe < end && isSafe(text, unsafe)) {
      unsafe++;
    }
    return unsafe == text.length() ? text : escape(text, unsafe, maxLength);
  }

  private static String escape(String text, int start, int maxLength) {
    String mark = "\u2026 (" + text.length() + " characters)";
    int maxLengthBeforeMark = maxLength - mark.length();
    StringBuilder line = new StringBuilder(Math.min(text.length(), maxLength) + 16);
    // escapes and pairs of surrogates are not cut
    int cut = 0;
    int i = 0;
    if (start < maxLengthBeforeMark) {
      line.append(text, 0, start);
      cut = start;
      i = start;
    }
    while (i < text.length()) {
      int codePoint = text.codePointAt(i);
      append(line, codePoint);
      if (line.length() > maxLength) {
        line.setLength(cut);
        return line.append(mark).toString();
      }
      if (line.length() <= maxLengthBeforeMark) {
        cut = line.length();
      }
      i += Character.charCount(codePoint);
    }
    return line.toString();
  }

  private static void append(StringBuilder line, int codePoint) {
    if (isSafe(codePoint)) {
      line.appendCodePoint(codePoint);
      return;
    }
    switch (codePoint) {
      case '\n' -> line.append("\\n");
      case '\r' -> line.append("\\r");
      case '\t' -> line.append("\\t");
      default -> {
        for (char c : Character.toChars(codePoint)) {
          line.append("\\u").append(HEX.toHexDigits(c));
        }
      }
    }
  }

  /** Whether a character, or the pair of surrogates that it begins or ends, needs no escape. */
  private static boolean isSafe(String text, int index) {
    char c = text.charAt(index);
    if (c >= ' ' && c <= '~') {
      return true;
    }
    if (Character.isLowSurrogate(c) && index > 0) {
      return Character.isHighSurrogate(text.charAt(index - 1));
    }
    return isSafe(text.codePointAt(index));
  }

  private static boolean isSafe(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          false;
      default -> true;
    };
  }
}
