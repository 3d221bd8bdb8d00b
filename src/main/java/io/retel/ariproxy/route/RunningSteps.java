// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.time.Duration;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Route;

/**
 * The steps of authors in which messages are, so that one that blocks can be named. Thread-safe.
 */
final class RunningSteps {

  /** The routes that consume commands; their messages can be in other routes. */
  private static final Set<String> COMMANDS =
      Set.of("commands", "generic-commands", "execute-command");

  /** The routes that consume events; their messages can be in other routes. */
  private static final Set<String> EVENTS = Set.of("events", "publish-missed-events");

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

    /**
     * Whether events wait: not for one that has outlasted its route, which an edit has ended by
     * force.
     */
    private boolean isOfEvents() {
      return isOf(EVENTS) && !hasOutlastedRoute();
    }

    private boolean hasOutlastedRoute() {
      long age = exchange.getClock().elapsed();
      Route route = exchange.getContext().getRoute(exchange.getFromRouteId());
      return route == null || age > route.getUptimeMillis();
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
    return runs.stream()
        .filter(run -> run.exchange == exchange)
        .max(Comparator.comparingLong(run -> run.number))
        .filter(run -> !run.isInShippedStep())
        .map(run -> run.place);
  }

  /** Returns the step in which a command has been for the longest time, if for this time. */
  Optional<Blocked> blockedCommand(Duration minAge) {
    return longest(innermost(minAge).filter(run -> run.isOf(COMMANDS)));
  }

  /** Returns the step in which an event has been for the longest time, if for this time. */
  Optional<Blocked> blockedEvent(Duration minAge) {
    return longest(innermost(minAge).filter(Run::isOfEvents));
  }

  /**
   * Returns the steps in which other messages have been for this time: those of the routes of
   * authors, and copies.
   */
  List<Blocked> blockedOthers(Duration minAge) {
    return innermost(minAge)
        .filter(run -> !run.isOf(COMMANDS) && !run.isOfEvents())
        .collect(Collectors.groupingBy(run -> run.place))
        .values()
        .stream()
        .flatMap(ofPlace -> longest(ofPlace.stream()).stream())
        .toList();
  }

  private static Optional<Blocked> longest(Stream<Run> messages) {
    return messages
        .max(Comparator.comparing(Run::age))
        .map(run -> new Blocked(run.place, run.age()));
  }

  /**
   * Returns the innermost step in which each message has been for a time, if it is an added one.
   */
  private Stream<Run> innermost(Duration minAge) {
    Map<Exchange, Run> innermost = new IdentityHashMap<>();
    for (Run run : runs) {
      if (run.age().compareTo(minAge) >= 0) {
        innermost.merge(run.exchange, run, (one, other) -> one.number > other.number ? one : other);
      }
    }
    return innermost.values().stream().filter(run -> !run.isInShippedStep());
  }
}
