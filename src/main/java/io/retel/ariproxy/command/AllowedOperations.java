// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.AriOperations;
import io.retel.ariproxy.text.LogText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.util.AntPathMatcher;

/**
 * The ARI operations that controllers may use; others yield 403 (docs/contract.md#commands).
 *
 * <p>Operations are matched by their template in ARI's documentation, not by the url text, so
 * encoding an id differently cannot turn one operation into another. Immutable.
 */
public final class AllowedOperations {

  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "DELETE", "*");

  private final List<OperationPattern> patterns;
  private final Set<String> templates;

  private AllowedOperations(List<OperationPattern> patterns) {
    this.patterns = List.copyOf(patterns);
    this.templates =
        AriOperations.templates().stream().filter(this::matches).collect(Collectors.toSet());
  }

  /**
   * Parses a list like {@code GET /**, POST /channels/{channelId}/answer}; an empty list allows
   * all.
   *
   * @throws IllegalArgumentException if the list is malformed or an element matches no operation
   */
  public static AllowedOperations parse(String list) {
    List<OperationPattern> patterns = new ArrayList<>();
    for (String element : list.isBlank() ? new String[0] : list.split(",", -1)) {
      String[] words = element.strip().split("\\s+");
      if (words.length != 2 || !METHODS.contains(words[0]) || !words[1].startsWith("/")) {
        throw new IllegalArgumentException(
            "must look like GET /**, POST /channels/{channelId}/answer; invalid element: "
                + element.strip());
      }
      OperationPattern pattern = new OperationPattern(words[0], words[1]);
      if (AriOperations.templates().stream().noneMatch(pattern::matches)) {
        throw new IllegalArgumentException("matches no ARI operation: " + element.strip());
      }
      patterns.add(pattern);
    }
    return new AllowedOperations(patterns);
  }

  /**
   * Rejects a command whose operation is not allowed.
   *
   * @throws CommandRejectedException with status 403
   */
  void check(Command.Accepted command) {
    if (patterns.isEmpty()) {
      return;
    }
    String operation = command.operation();
    if (!templates.contains(operation) && !matches(operation)) {
      throw new CommandRejectedException(
          403, LogText.abbreviate(operation) + " is not among commands.allowed");
    }
  }

  private boolean matches(String operation) {
    return patterns.stream().anyMatch(pattern -> pattern.matches(operation));
  }

  private record OperationPattern(String method, String path) {

    boolean matches(String operation) {
      int space = operation.indexOf(' ');
      return (method.equals("*") || operation.startsWith(method + " "))
          && AntPathMatcher.INSTANCE.match(path, operation.substring(space + 1));
    }
  }
}
