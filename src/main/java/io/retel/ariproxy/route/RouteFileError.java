// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.StartupErrors;
import io.retel.ariproxy.text.LogText;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.camel.util.ObjectHelper;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;

/**
 * Why a route file does not load.
 *
 * @param line the line, from 1; 0 if unknown
 * @param reason on one line
 */
record RouteFileError(int line, String reason) {

  /** What Camel's messages repeat of the route and of the endpoint ends with these. */
  private static final List<String> INTRODUCTIONS = List.of("because: ", "due to: ");

  /**
   * What follows is a class of Camel: {@code No bean could be found … for: name of type: class}.
   */
  private static final String CLASS_INTRODUCTION = " of type: ";

  /**
   * A name in an error message that an author can have written: of a bean, a step, an option. Two
   * letters are one only at the end.
   */
  private static final Pattern NAME = Pattern.compile("[\\w][\\w.-]{2,}|\\b\\w{2}$");

  /** Returns the reason with its line, for a log line that names the file. */
  String withLine() {
    return line > 0 ? "line %d: %s".formatted(line, reason) : reason;
  }

  static RouteFileError of(Throwable error, String content) {
    if (error instanceof InvalidStepException step) {
      return new RouteFileError(step.line(), String.valueOf(step.getMessage()));
    }
    MarkedYamlEngineException marked =
        ObjectHelper.getException(MarkedYamlEngineException.class, error);
    if (marked != null && marked.getCause() == null) {
      return of(marked);
    }
    String reason = StartupErrors.singleLine(error);
    for (String introduction : INTRODUCTIONS) {
      reason = reason.substring(Math.max(0, reason.lastIndexOf(introduction)));
      reason = reason.startsWith(introduction) ? reason.substring(introduction.length()) : reason;
    }
    // the position follows, which is known from the line
    int position = reason.indexOf(" | in ");
    String cause = position > 0 ? reason.substring(0, position) : reason;
    return new RouteFileError(lineOfName(cause, content), cause);
  }

  /** YAML errors have a position, and what is wrong after what was read. */
  private static RouteFileError of(MarkedYamlEngineException error) {
    String context = error.getContext();
    String reason =
        Stream.of(context, error.getProblem())
            .filter(Objects::nonNull)
            .collect(Collectors.joining(": "));
    return new RouteFileError(
        error.getProblemMark().map(mark -> mark.getLine() + 1).orElse(0),
        LogText.abbreviate(reason)
            + (context != null && context.startsWith("while parsing a block")
                ? "; check the indentation"
                : ""));
  }

  /**
   * Camel's errors name what is missing, but not where: the line with the name of the message that
   * the file contains most rarely, and that comes last in the message.
   */
  private static int lineOfName(String cause, String content) {
    List<String> lines = content.lines().toList();
    int end = cause.indexOf(CLASS_INTRODUCTION);
    String names = end < 0 ? cause : cause.substring(0, end);
    int found = 0;
    long fewest = Long.MAX_VALUE;
    for (String name : NAME.matcher(names).results().map(MatchResult::group).toList()) {
      Pattern word = Pattern.compile("(?<![\\w.-])" + Pattern.quote(name) + "(?![\\w.-])");
      List<Integer> matches =
          IntStream.range(0, lines.size())
              .filter(i -> !lines.get(i).strip().startsWith("#"))
              .filter(i -> word.matcher(lines.get(i)).find())
              .boxed()
              .toList();
      if (!matches.isEmpty() && matches.size() <= fewest) {
        fewest = matches.size();
        found = matches.get(0) + 1;
      }
    }
    return found;
  }
}
