// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.text.LogText;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;

/**
 * Route files whose content is not in effect, with the reason: until they are corrected or deleted.
 * Thread-safe.
 */
public final class RejectedRouteFiles {

  private static final int MAX_DESCRIBED = 3;
  private static final int MAX_REASON_LENGTH = 1_000;

  private final Map<Path, String> reasons = new ConcurrentSkipListMap<>();

  void add(Path file, String reason) {
    reasons.put(file, LogText.escape(reason, MAX_REASON_LENGTH));
  }

  void remove(Path file) {
    reasons.remove(file);
  }

  Set<Path> files() {
    return Set.copyOf(reasons.keySet());
  }

  boolean contains(Path file) {
    return reasons.containsKey(file);
  }

  public int count() {
    return reasons.size();
  }

  /** Returns the first files with their reasons, as sentences; empty if all are in effect. */
  public Optional<String> describe() {
    String described =
        reasons.entrySet().stream()
            .limit(MAX_DESCRIBED)
            .map(rejected -> rejected.getKey().getFileName() + ": " + rejected.getValue())
            .collect(Collectors.joining("; "));
    int more = reasons.size() - MAX_DESCRIBED;
    return Optional.of(described)
        .filter(files -> !files.isEmpty())
        .map(files -> "Not in effect: " + files + (more > 0 ? "; and " + more + " more" : ""));
  }
}
