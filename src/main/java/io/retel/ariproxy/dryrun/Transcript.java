// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.dryrun;

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
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/** The output of a dry run, a line for each step, and what it counts. Thread-safe. */
final class Transcript {

  private static final int MAX_VALUE_LENGTH = 300;
  private static final int MAX_CONTENT_LENGTH = 4_000;

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
  void send(String to, String content) {
    sent.incrementAndGet();
    print(
        "  => "
            + text(to)
            + (content.isEmpty() ? "" : "\n      " + LogText.escape(content, MAX_CONTENT_LENGTH)));
  }

  /** Prints the error of a step. */
  void fail(String route, String step, Throwable error) {
    failures.add(error);
    if (!printed.add(error)) {
      return;
    }
    print(
        place(route, step)
            + "\n  !! "
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

  void received(String route) {
    routes.add(route);
  }

  boolean hasReceived(String route) {
    return routes.contains(route);
  }

  void print(String lines) {
    synchronized (out) {
      out.println(lines);
    }
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
