package io.retel.ariproxy.command;

import io.retel.ariproxy.logging.LogText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.camel.util.AntPathMatcher;

/**
 * The operations of ARI that controllers may use (contract.md section 4: 403).
 *
 * <p>An operation is allowed by its name in ARI's documentation, not by the text of a url: so no
 * way of writing an id makes it another one. Immutable.
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
   * Reads a list like {@code GET /**, POST /channels/{channelId}/answer}; an empty one allows all.
   *
   * @throws IllegalArgumentException for what is no such list, or names no operation
   */
  public static AllowedOperations parse(String list) {
    List<OperationPattern> patterns = new ArrayList<>();
    for (String element : list.isBlank() ? new String[0] : list.split(",", -1)) {
      String[] words = element.strip().split("\\s+");
      if (words.length != 2 || !METHODS.contains(words[0]) || !words[1].startsWith("/")) {
        throw new IllegalArgumentException(
            "must be like GET /**, POST /channels/{channelId}/answer, and not " + element.strip());
      }
      OperationPattern pattern = new OperationPattern(words[0], words[1]);
      if (AriOperations.templates().stream().noneMatch(pattern::matches)) {
        throw new IllegalArgumentException("names no operation of ARI with " + element.strip());
      }
      patterns.add(pattern);
    }
    return new AllowedOperations(patterns);
  }

  /**
   * Fails if the command's operation is not allowed.
   *
   * @throws CommandRejectedException with status 403
   */
  void check(Command command) {
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
