// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import java.net.UnknownHostException;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Single-line messages of failures. */
public final class ErrorMessages {

  /** Causes to search, since a chain of causes can have a cycle. */
  private static final int MAX_CAUSES = 20;

  /** Of a URL without a host. */
  private static final Pattern QUERY = Pattern.compile("\\?[^\\s?=&]++=\\S*+");

  /** Its host, path, the start of its query or fragment, and the rest. */
  private static final Pattern URL = Pattern.compile("(://[^\\s/?#]++)([^\\s?#]*+)([?#]?+)\\S*+");

  private static final Pattern NUMBER_IN_PATH = Pattern.compile("/[^/]*?[0-9]{5}[^/]*+");

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

  /** Returns an error of an author's step as text, {@linkplain #withoutUrlDetails shortened}. */
  public static String ofStep(@Nullable Throwable error) {
    return withoutUrlDetails(String.valueOf(error));
  }

  /**
   * Returns a text without the queries and fragments of URLs, and without the parts of their paths
   * with five digits in sequence: they can be numbers of callers, and keys.
   */
  public static String withoutUrlDetails(String text) {
    return QUERY.matcher(URL.matcher(text).replaceAll(ErrorMessages::shorten)).replaceAll("?***");
  }

  private static String shorten(MatchResult url) {
    String path = NUMBER_IN_PATH.matcher(url.group(2)).replaceAll("/***");
    String rest = url.group(3).isEmpty() ? "" : url.group(3) + "***";
    return Matcher.quoteReplacement(url.group(1) + path + rest);
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
