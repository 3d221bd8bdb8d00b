// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations and sizes as text with a unit, such as {@code 30s} and {@code 64MB}. */
public final class Units {

  private static final Pattern VALUE = Pattern.compile("(\\d{1,18})\\s*([a-zA-Z]*)");

  private static final Map<String, Long> MILLIS =
      Map.of("ms", 1L, "s", 1_000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  private static final Map<String, Long> BYTES =
      Map.of("B", 1L, "KB", 1L << 10, "MB", 1L << 20, "GB", 1L << 30);

  private Units() {}

  /**
   * A duration; only 0 may lack a unit.
   *
   * @throws IllegalArgumentException if it has no unit, is malformed or exceeds a long's
   *     milliseconds
   */
  public static Duration duration(String text) {
    return Duration.ofMillis(parse(text, MILLIS));
  }

  /**
   * A size in bytes; only 0 may lack a unit. A KB has 1024 bytes.
   *
   * @throws IllegalArgumentException if it has no unit, is malformed or exceeds a long
   */
  public static long bytes(String text) {
    return parse(text, BYTES);
  }

  private static long parse(String text, Map<String, Long> units) {
    Matcher value = VALUE.matcher(text);
    if (!value.matches()) {
      throw new IllegalArgumentException("malformed");
    }
    long number = Long.parseLong(value.group(1));
    Long factor = units.get(value.group(2));
    if (factor == null && (number != 0 || !value.group(2).isEmpty())) {
      throw new IllegalArgumentException("unknown unit");
    }
    try {
      return factor == null ? 0 : Math.multiplyExact(number, factor);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("too large", e);
    }
  }
}
