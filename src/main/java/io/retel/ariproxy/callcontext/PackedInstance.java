// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The instance of a channel or bridge as numbers, which take a fifth of the heap of its text.
 *
 * @param time the digits of the creation time, from year to millisecond
 * @param offset hours and minutes from UTC, as in 0200 or 1130; its complement if it is negative
 * @param hasName whether it is that of a channel with a name
 * @param nameHash the hash of that name
 */
record PackedInstance(long time, short offset, boolean hasName, int nameHash) {

  private static final String TIME = "0000-00-00T00:00:00.000+0000";

  private static final int SIGN = 23;

  /** The place of the hash, after a blank. */
  private static final int HASH = TIME.length() + 1;

  /** Returns an instance as numbers, or null if its text has another format. */
  static @Nullable PackedInstance of(String text) {
    boolean hasName = text.length() > TIME.length();
    if (!startsWithTime(text) || (hasName && !endsWithHash(text))) {
      return null;
    }
    int offset = (int) digits(text, SIGN + 1, TIME.length());
    return new PackedInstance(
        digits(text, 0, SIGN),
        (short) (text.charAt(SIGN) == '-' ? ~offset : offset),
        hasName,
        hasName ? HexFormat.fromHexDigits(text, HASH, text.length()) : 0);
  }

  private static boolean startsWithTime(String text) {
    if (text.length() < TIME.length()) {
      return false;
    }
    for (int i = 0; i < TIME.length(); i++) {
      char c = text.charAt(i);
      boolean matches =
          switch (TIME.charAt(i)) {
            case '0' -> c >= '0' && c <= '9';
            case '+' -> c == '+' || c == '-';
            default -> c == TIME.charAt(i);
          };
      if (!matches) {
        return false;
      }
    }
    return true;
  }

  /** Whether a blank and a hash follow the time, as {@link Integer#toHexString} returns it. */
  private static boolean endsWithHash(String text) {
    int length = text.length() - HASH;
    if (text.charAt(HASH - 1) != ' ' || length < 1 || length > Integer.BYTES * 2) {
      return false;
    }
    for (int i = HASH; i < text.length(); i++) {
      if (!isLowerCaseHex(text.charAt(i))) {
        return false;
      }
    }
    return length == 1 || text.charAt(HASH) != '0';
  }

  static boolean isLowerCaseHex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }

  private static long digits(String text, int from, int to) {
    long digits = 0;
    for (int i = from; i < to; i++) {
      if (TIME.charAt(i) == '0') {
        digits = digits * 10 + text.charAt(i) - '0';
      }
    }
    return digits;
  }

  /** Returns the text. */
  String text() {
    char[] text = TIME.toCharArray();
    write(offset < 0 ? ~offset : offset, text, SIGN + 1, TIME.length());
    write(time, text, 0, SIGN);
    text[SIGN] = offset < 0 ? '-' : '+';
    String creationTime = new String(text);
    return hasName ? creationTime + ' ' + Integer.toHexString(nameHash) : creationTime;
  }

  private static void write(long digits, char[] text, int from, int to) {
    long rest = digits;
    for (int i = to - 1; i >= from; i--) {
      if (TIME.charAt(i) == '0') {
        text[i] = (char) ('0' + rest % 10);
        rest /= 10;
      }
    }
  }
}
