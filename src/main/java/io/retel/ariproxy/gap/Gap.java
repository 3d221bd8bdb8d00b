package io.retel.ariproxy.gap;

import java.time.Instant;
import java.util.HashSet;
import java.util.Set;

/**
 * The time in which no events arrive: from the loss of the websocket, or from the end of the
 * process before this one, until the websocket is open and Asterisk has been compared with the
 * memory. To be used by one thread at a time.
 */
public final class Gap {

  /**
   * A gap that lasts.
   *
   * @param start when it began, or null if nobody knows: another process was there then
   * @param callContexts those that lived when it began
   */
  record Span(Instant start, Set<String> callContexts) {}

  private volatile Span span;

  /**
   * A gap begins; one that lasts goes on.
   *
   * @param start when, or null
   * @param callContexts those that live
   */
  public void begin(Instant start, Set<String> callContexts) {
    Span previous = span;
    if (previous == null) {
      span = new Span(start, Set.copyOf(callContexts));
    } else {
      Set<String> merged = new HashSet<>(previous.callContexts());
      merged.addAll(callContexts);
      span = new Span(previous.start(), merged);
    }
  }

  /** The gap that lasts; an empty one if none does. */
  Span span() {
    Span current = span;
    return current == null ? new Span(null, Set.of()) : current;
  }

  /** All has been made up for. */
  void end() {
    span = null;
  }
}
