// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.GroupActivity;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Commands in execution for longer than a tenth of {@code ari.response-timeout}. A command with a
 * RESPONSE that waits for Kafka, and one that is repeated after a failed connection, are not
 * included.
 */
public final class HangingCommands {

  private final Supplier<List<GroupActivity>> operations;
  private final BooleanSupplier blocked;
  private final Duration maxAge;

  /**
   * @param operations those with commands that hang
   * @param blocked whether no other command can start
   * @param maxAge an older command never ends
   */
  public HangingCommands(
      Supplier<List<GroupActivity>> operations, BooleanSupplier blocked, Duration maxAge) {
    this.operations = operations;
    this.blocked = blocked;
    this.maxAge = maxAge;
  }

  /**
   * Returns the operations with the number and age of their commands, most commands first; or
   * empty.
   */
  String description() {
    return operations.get().stream()
        .sorted(Comparator.comparingInt(GroupActivity::hanging).reversed())
        .map(HangingCommands::describe)
        .collect(Collectors.joining(", "));
  }

  /** Returns why no command can start, or that one never ends, as a sentence; or empty. */
  Optional<String> downReason() {
    if (blocked.getAsBoolean()) {
      return Optional.of("All of commands.max-concurrency hang, others wait: " + description());
    }
    Duration oldest = oldest();
    return oldest.compareTo(maxAge) > 0
        ? Optional.of(
            "A command hangs for %d s, beyond all timeouts (%d s): %s"
                .formatted(oldest.toSeconds(), maxAge.toSeconds(), description()))
        : Optional.empty();
  }

  /** Age of the oldest command that hangs; zero without one. */
  public Duration oldest() {
    return operations.get().stream()
        .map(GroupActivity::oldest)
        .max(Comparator.naturalOrder())
        .orElse(Duration.ZERO);
  }

  /** Number of commands that hang. */
  public int count() {
    return operations.get().stream().mapToInt(GroupActivity::hanging).sum();
  }

  static String describe(GroupActivity operation) {
    return "%s (%d for up to %.1f s, %d waiting)"
        .formatted(
            operation.group(),
            operation.hanging(),
            operation.oldest().toMillis() / 1_000.0,
            operation.waiting());
  }
}
