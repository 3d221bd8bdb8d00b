// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.apache.camel.Exchange;

/**
 * The steps of authors in which events and commands are, so that one that blocks can be named.
 * Thread-safe.
 */
final class RunningSteps {

  /** The routes that consume commands; their messages can be in other routes. */
  static final Set<String> COMMANDS = Set.of("commands", "generic-commands", "execute-command");

  /** The routes that consume events; their messages can be in other routes. */
  static final Set<String> EVENTS = Set.of("events", "publish-missed-events");

  private final Set<Run> runs = ConcurrentHashMap.newKeySet();
  private final LongSupplier nanoTime;
  private final AtomicLong started = new AtomicLong();

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  RunningSteps(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /**
   * A step that blocks.
   *
   * @param place the step, for a sentence
   * @param age for how long a message has been in it
   */
  record Blocked(String place, Duration age) {}

  /** A message in a step; equal only to itself. */
  final class Run {

    private final Exchange exchange;
    private final String place;
    private final long start = nanoTime.getAsLong();
    private final long number = started.incrementAndGet();

    private Run(Exchange exchange, String place) {
      this.exchange = exchange;
      this.place = place;
    }

    /** Returns whether it had not ended. */
    boolean end() {
      return runs.remove(this);
    }

    private Duration age() {
      return Duration.ofNanos(nanoTime.getAsLong() - start);
    }

    /** Whether the message is within a shipped step, such as in a block around the request. */
    private boolean isInShippedStep() {
      String step = exchange.getExchangeExtension().getHistoryNodeId();
      return step != null && ShippedFiles.ids().contains(step);
    }

    private boolean isOf(Set<String> routes) {
      String route = exchange.getFromRouteId();
      return route != null && routes.contains(route) && !TappedCopies.isOne(exchange);
    }

    /** Whether the message has been in a step within for a time. */
    private boolean isOuter(Duration minAge) {
      return runs.stream()
          .anyMatch(
              run ->
                  run.exchange == exchange
                      && run.number > number
                      && run.age().compareTo(minAge) >= 0);
    }
  }

  /** Adds a message that enters a step. */
  Run start(Exchange exchange, String place) {
    Run run = new Run(exchange, place);
    runs.add(run);
    return run;
  }

  /** Returns the step in which a message is, unless it is in a shipped one within. */
  Optional<String> of(Exchange exchange) {
    return inAddedStep(Duration.ZERO)
        .filter(run -> run.exchange == exchange)
        .map(run -> run.place)
        .findFirst();
  }

  /**
   * Returns the step in which a message has been for the longest time, if for this time.
   *
   * @param routes those that consume the message
   */
  Optional<Blocked> blocked(Set<String> routes, Duration minAge) {
    return inAddedStep(minAge)
        .filter(run -> run.isOf(routes))
        .max(Comparator.comparing(Run::age))
        .map(run -> new Blocked(run.place, run.age()));
  }

  /** Returns the innermost step of each message. */
  private Stream<Run> inAddedStep(Duration minAge) {
    return runs.stream()
        .filter(
            run ->
                run.age().compareTo(minAge) >= 0 && !run.isInShippedStep() && !run.isOuter(minAge));
  }
}
