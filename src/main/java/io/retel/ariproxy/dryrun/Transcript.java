// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

import io.retel.ariproxy.route.AddedSteps;
import io.retel.ariproxy.text.LogText;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.jspecify.annotations.Nullable;

/** The output of a dry run, a line for each step, and what it counts. Thread-safe. */
final class Transcript {

  private static final int MAX_VALUE_LENGTH = 300;
  private static final int MAX_CONTENT_LENGTH = 4_000;
  private static final int MAX_HEADERS = 20;

  /** Of one step for one message, which ends loops. */
  private static final int MAX_RUNS = 400;

  private final PrintStream out;
  private final AtomicInteger sent = new AtomicInteger();

  /** Errors that were printed: they pass the steps that contain or call the one that failed. */
  private final Set<Throwable> printed =
      Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

  /** Errors of steps that no {@code doCatch} has caught. */
  private final Set<Throwable> failures =
      Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));

  /** Routes that have received a message. */
  private final Set<String> routes = ConcurrentHashMap.newKeySet();

  private final AtomicLong started = new AtomicLong();

  /** How often each step has run for the current message. */
  private final Map<NamedNode, Integer> runs = new ConcurrentHashMap<>();

  /** The step that has run too often; null if there is none. */
  private volatile @Nullable String loop;

  Transcript(PrintStream out) {
    this.out = out;
  }

  /** What a step can change of an exchange, as text. */
  record Snapshot(String body, Map<String, String> values) {

    static Snapshot of(Exchange exchange) {
      Map<String, String> values = new TreeMap<>();
      exchange
          .getMessage()
          .getHeaders()
          .forEach((name, value) -> add(values, "header ", name, value));
      exchange.getProperties().forEach((name, value) -> add(values, "property ", name, value));
      exchange.getVariables().forEach((name, value) -> add(values, "variable ", name, value));
      return new Snapshot(text(exchange.getMessage().getBody()), values);
    }

    private static void add(
        Map<String, String> values, String kind, String name, @Nullable Object value) {
      String text = text(value);
      boolean isInternal = value != null && text.startsWith(value.getClass().getName());
      if (!isInternal) {
        values.put(kind + text(name), text);
      }
    }
  }

  /** Begins a message. */
  void begin(String kind, String name) {
    runs.clear();
    print(kind + " " + text(name));
  }

  /** Counts a run of a step. Returns whether it may run: nothing may once one is in a loop. */
  boolean start(NamedNode step, String route) {
    routes.add(route);
    started.incrementAndGet();
    if (loop == null && runs.merge(step, 1, Integer::sum) > MAX_RUNS) {
      String location = AddedSteps.location(step);
      loop =
          "step %s of route %s%s"
              .formatted(
                  step.getId() == null ? step.getShortName() : step.getId(),
                  route,
                  location.isEmpty() ? "" : " (" + location + ")");
    }
    return loop == null;
  }

  /**
   * Ends the run if a step is in a loop.
   *
   * @throws IllegalStateException names the step
   */
  void rejectLoop() {
    if (loop != null) {
      throw new IllegalStateException(
          "%s runs more than %d times for one message: it may be in a loop"
              .formatted(loop, MAX_RUNS));
    }
  }

  /** Prints a step, and what it has changed. */
  void step(String route, String step, Snapshot before, Snapshot after) {
    StringBuilder lines = new StringBuilder(place(route, step));
    if (!before.body().equals(after.body())) {
      lines.append("\n      body: ").append(after.body());
    }
    after
        .values()
        .forEach(
            (name, value) -> {
              if (!Objects.equals(before.values().get(name), value)) {
                lines.append("\n      ").append(name).append(": ").append(value);
              }
            });
    before.values().keySet().stream()
        .filter(name -> !after.values().containsKey(name))
        .forEach(name -> lines.append("\n      ").append(name).append(" removed"));
    print(lines.toString());
  }

  /** Prints a step that contains or calls others. */
  void enter(String route, String step) {
    print(place(route, step));
  }

  /** Prints what would be sent to a server. */
  void send(String to, Map<String, ?> headers, String content) {
    sent.incrementAndGet();
    StringBuilder lines = new StringBuilder("  => ").append(text(to));
    new TreeMap<>(headers)
        .entrySet().stream()
            .limit(MAX_HEADERS)
            .forEach(
                header ->
                    lines
                        .append("\n      header ")
                        .append(text(header.getKey()))
                        .append(": ")
                        .append(text(header.getValue())));
    if (headers.size() > MAX_HEADERS) {
      lines.append("\n      and ").append(headers.size() - MAX_HEADERS).append(" more headers");
    }
    if (!content.isEmpty()) {
      lines.append("\n      ").append(LogText.escape(content, MAX_CONTENT_LENGTH));
    }
    print(lines.toString());
  }

  /**
   * Prints the error of a step.
   *
   * @param location file and line; empty if unknown
   */
  void fail(String route, String step, String location, Throwable error) {
    failures.add(error);
    if (!printed.add(error)) {
      return;
    }
    print(
        place(route, step)
            + "\n  !! "
            + (location.isEmpty() ? "" : location + ": ")
            + error.getClass().getSimpleName()
            + ": "
            + text(error.getMessage()));
  }

  /** The route continues after an error, as its author intended. */
  void caught(@Nullable Throwable error) {
    failures.remove(error);
  }

  /** Prints a step that rejects a command, which is not a failure of the routes. */
  void reject(String route, String step, Throwable reason) {
    if (!printed.add(reason)) {
      return;
    }
    print(place(route, step) + "\n      rejected: " + text(reason.getMessage()));
  }

  /** Prints an error that no route handles. */
  void failUnhandled(Throwable error) {
    printed.add(error);
    failures.add(error);
    print("  not handled: " + text(error.getMessage()));
  }

  boolean hasReceived(String route) {
    return routes.contains(route);
  }

  private void print(String lines) {
    if (loop != null) {
      return;
    }
    synchronized (out) {
      out.println(lines);
    }
  }

  /** The number of runs of all steps. */
  long started() {
    return started.get();
  }

  int sent() {
    return sent.get();
  }

  int failures() {
    return failures.size();
  }

  private static String place(String route, String step) {
    return "  " + text(route) + " / " + text(step);
  }

  /** Returns a value on one line; a stream is not read. */
  static String text(@Nullable Object value) {
    String text;
    if (value instanceof byte[] bytes) {
      text = new String(bytes, StandardCharsets.UTF_8);
    } else if (value instanceof InputStream) {
      text = "(stream)";
    } else {
      text = String.valueOf(value);
    }
    return LogText.escape(text, MAX_VALUE_LENGTH);
  }
}
