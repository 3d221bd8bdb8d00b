// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Converts the text of a setting to a value.
 *
 * @param description the type and its range, as the reference documentation shows it
 * @param isSecret whether the value is never shown
 * @param parser throws {@link IllegalArgumentException} with a message that completes "setting …",
 *     such as "must be true or false"
 * @param toPlaceholder the value as a Camel placeholder: sizes in bytes, durations in milliseconds
 */
public record SettingType<T>(
    Supplier<String> description,
    boolean isSecret,
    Function<String, T> parser,
    Function<T, String> toPlaceholder) {

  private SettingType(
      String description, Function<String, T> parser, Function<T, String> toPlaceholder) {
    this(() -> description, false, parser, toPlaceholder);
  }

  private static final String FILE = "file";

  private static final String TOPIC_NAME = "topic name";

  private static final Pattern TAG = Pattern.compile("(?<name>[a-zA-Z_]\\w*)=(?<value>[^=]+)");

  private static final Pattern HOST_AND_PORT =
      Pattern.compile("([A-Za-z0-9._-]+|\\[[0-9a-fA-F:.]+]):(?<port>\\d{1,5})");

  private static final int MAX_PORT = 65_535;

  private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]*)");

  public static SettingType<String> text() {
    return new SettingType<>("text", text -> text, text -> text);
  }

  public static SettingType<String> text(String description, String pattern, String problem) {
    return text(description, Pattern.compile(pattern).asMatchPredicate(), problem);
  }

  public static SettingType<String> text(
      String description, Predicate<String> valid, String problem) {
    return new SettingType<>(
        description,
        text -> {
          if (!valid.test(text)) {
            throw new IllegalArgumentException(problem);
          }
          return text;
        },
        text -> text);
  }

  public static <T> SettingType<T> described(String description, SettingType<T> type) {
    return new SettingType<>(description, type.parser, type.toPlaceholder);
  }

  /** Names separated by commas, without duplicates. */
  public static SettingType<List<String>> list(String problem) {
    return new SettingType<>(
        "name, …",
        text -> {
          List<String> names =
              Arrays.stream(text.split(",", -1)).map(String::strip).distinct().toList();
          if (names.contains("")) {
            throw new IllegalArgumentException(problem);
          }
          return names;
        },
        names -> String.join(",", names));
  }

  public static SettingType<Map<String, String>> tags() {
    return new SettingType<>(
        "name=value, …",
        text -> {
          Map<String, String> tags = new LinkedHashMap<>();
          for (String tag : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            Matcher parts = TAG.matcher(tag.strip());
            if (!parts.matches() || tags.put(parts.group("name"), parts.group("value")) != null) {
              throw new IllegalArgumentException(
                  "must be tags such as site=fra,asterisk=a1: names of letters, digits and"
                      + " underscores, each once");
            }
          }
          return tags;
        },
        tags ->
            tags.entrySet().stream()
                .map(tag -> tag.getKey() + "=" + tag.getValue())
                .collect(Collectors.joining(",")));
  }

  public static SettingType<String> optional(SettingType<String> type) {
    return new SettingType<>(
        type.description,
        false,
        text -> text.isEmpty() ? text : type.parser.apply(text),
        text -> text);
  }

  public static SettingType<String> topic() {
    return text(
        TOPIC_NAME,
        "[a-zA-Z0-9._-]{1,249}",
        "must be a Kafka topic name: letters, digits, dot, dash, underscore");
  }

  public static SettingType<String> file() {
    return new SettingType<>(
        FILE,
        text -> {
          try {
            return Path.of(text).toString();
          } catch (InvalidPathException e) {
            throw new IllegalArgumentException("must be a path: " + e.getReason(), e);
          }
        },
        text -> text);
  }

  public static SettingType<Secret> secret() {
    return secret(text());
  }

  /** A secret whose content has its own type, such as a URI with a password. */
  public static SettingType<Secret> secret(SettingType<String> content) {
    return new SettingType<>(
        content.description,
        true,
        text -> new Secret(content.parser.apply(text)),
        Secret::toString);
  }

  public static SettingType<String> hosts() {
    return new SettingType<>(
        "host:port, …",
        text -> {
          for (String host : text.split(",", -1)) {
            Matcher matcher = HOST_AND_PORT.matcher(host.strip());
            if (!matcher.matches()) {
              throw new IllegalArgumentException(
                  "must be host:port, or several separated by commas");
            }
            int port = Integer.parseInt(matcher.group("port"));
            if (port == 0 || port > MAX_PORT) {
              throw new IllegalArgumentException("port must be 1 to " + MAX_PORT);
            }
          }
          return text;
        },
        text -> text);
  }

  /** Host names separated by commas, in lower case; may be empty. */
  public static SettingType<List<String>> hostNames() {
    return new SettingType<>(
        "name, …",
        text ->
            text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(",", -1)).map(SettingType::hostName).distinct().toList(),
        names -> String.join(",", names));
  }

  private static String hostName(String text) {
    if (!HOST_NAME.matcher(text.strip()).matches()) {
      throw new IllegalArgumentException("must be host names without port, separated by commas");
    }
    return text.strip().toLowerCase(Locale.ROOT);
  }

  public static SettingType<URI> url(Function<URI, URI> check) {
    return new SettingType<>(
        "URL",
        text -> {
          try {
            return check.apply(new URI(text));
          } catch (URISyntaxException e) {
            throw new IllegalArgumentException("must be a URL", e);
          }
        },
        URI::toString);
  }

  public static SettingType<Boolean> bool() {
    return new SettingType<>(
        "true, false",
        text -> {
          if (!text.equals("true") && !text.equals("false")) {
            throw new IllegalArgumentException("must be true or false");
          }
          return Boolean.valueOf(text);
        },
        String::valueOf);
  }

  /** One of several values, case-insensitive. */
  public static SettingType<String> oneOf(String... values) {
    return oneOf(() -> List.of(values), UnaryOperator.identity());
  }

  /** One of an enum's constants, case-insensitive. */
  public static <E extends Enum<E>> SettingType<E> oneOf(
      Class<E> type, UnaryOperator<String> spelling) {
    return oneOf(
        () -> List.of(type.getEnumConstants()), constant -> spelling.apply(constant.name()));
  }

  /** One of several values that are not known until the first use, case-insensitive. */
  static <T> SettingType<T> oneOf(Supplier<List<T>> values, Function<T, String> spelling) {
    Supplier<String> list =
        () -> values.get().stream().map(spelling).collect(Collectors.joining(", "));
    return new SettingType<>(
        list,
        false,
        text ->
            values.get().stream()
                .filter(value -> spelling.apply(value).equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("must be one of " + list.get())),
        spelling);
  }

  public static SettingType<Integer> integer(int min, int max) {
    String range = min + " to " + max;
    return new SettingType<>(
        range,
        text -> {
          try {
            return (int) inRange(Long.parseLong(text), min, max);
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("must be an integer from " + range, e);
          }
        },
        String::valueOf);
  }

  public static SettingType<Long> size(String min, String max) {
    String range = min + " to " + max;
    long minBytes = Units.bytes(min);
    long maxBytes = Units.bytes(max);
    return new SettingType<>(
        "size, " + range,
        text -> {
          try {
            return inRange(Units.bytes(text), minBytes, maxBytes);
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                "must be a size from " + range + " with a unit (B, KB, MB, GB), such as 64MB", e);
          }
        },
        String::valueOf);
  }

  public static SettingType<Duration> duration(String min, String max) {
    String range = min + " to " + max;
    long minMillis = Units.duration(min).toMillis();
    long maxMillis = Units.duration(max).toMillis();
    return new SettingType<>(
        "duration, " + range,
        text -> {
          try {
            return Duration.ofMillis(
                inRange(Units.duration(text).toMillis(), minMillis, maxMillis));
          } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                "must be a duration from " + range + " with a unit (ms, s, m, h, d), such as 30s",
                e);
          }
        },
        duration -> Long.toString(duration.toMillis()));
  }

  private static long inRange(long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException();
    }
    return value;
  }

  /** Whether values are paths of files. */
  boolean isFile() {
    return description.get().equals(FILE);
  }

  /** Whether values are names of Kafka topics. */
  boolean isTopic() {
    return description.get().equals(TOPIC_NAME);
  }

  /** A value of this type as text for Camel's placeholders. */
  @SuppressWarnings("unchecked")
  String placeholder(Object value) {
    return toPlaceholder.apply((T) value);
  }
}
