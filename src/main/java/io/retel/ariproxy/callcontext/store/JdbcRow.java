// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Row with an escaped key and value; plain texts are stored unchanged.
 *
 * <p>A key that the database rejects would fail its batch on every retry. PostgreSQL rejects the
 * character 0, so it is written {@code \0}, and a backslash {@code \\}. It also rejects a primary
 * key of more than about 2,700 bytes, so the resource of a long key is {@code \#} and its hash, and
 * the value is the key's length, a colon, the key and the text.
 */
record JdbcRow(String resource, String value) {

  private static final int MAX_KEY_LENGTH = 500;
  private static final String HASH_PREFIX = "\\#";

  static JdbcRow of(String key, String text) {
    String escaped = escape(key);
    String value = escape(text);
    return new JdbcRow(
        resource(key), isLong(escaped) ? escaped.length() + ":" + escaped + value : value);
  }

  /** Returns the escaped or hashed form of a key. */
  static String resource(String key) {
    String escaped = escape(key);
    return isLong(escaped) ? HASH_PREFIX + sha256(escaped) : escaped;
  }

  /** Returns the key; the column itself if the row was not written by {@link #of}. */
  String key() {
    int keyEnd = keyEnd();
    return keyEnd < 0 ? unescape(resource) : unescape(value.substring(keyStart(), keyEnd));
  }

  String text() {
    return unescape(value.substring(Math.max(0, keyEnd())));
  }

  private boolean isHashed() {
    return resource.startsWith(HASH_PREFIX);
  }

  private int keyStart() {
    return value.indexOf(':') + 1;
  }

  /** Returns where the key of a hashed one ends in the value; -1 if it is missing. */
  private int keyEnd() {
    if (!isHashed() || keyStart() == 0) {
      return -1;
    }
    try {
      int length = Integer.parseInt(value.substring(0, keyStart() - 1));
      return length < 0 || length > value.length() - keyStart() ? -1 : keyStart() + length;
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private static boolean isLong(String escapedKey) {
    return escapedKey.length() > MAX_KEY_LENGTH;
  }

  private static String escape(String text) {
    return text.replace("\\", "\\\\").replace("\0", "\\0");
  }

  private static String unescape(String escaped) {
    if (escaped.indexOf('\\') < 0) {
      return escaped;
    }
    StringBuilder text = new StringBuilder(escaped.length());
    for (int i = 0; i < escaped.length(); i++) {
      char next = escaped.charAt(i);
      if (next == '\\' && i + 1 < escaped.length()) {
        i++;
        next = escaped.charAt(i) == '0' ? '\0' : escaped.charAt(i);
      }
      text.append(next);
    }
    return text.toString();
  }

  private static String sha256(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing", e);
    }
  }
}
