// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.time.Moment;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The time without a websocket: from its loss, or from the end of the previous process, until the
 * resync after the next connect. Not thread-safe.
 */
public final class Gap {

  /**
   * A gap that has not ended.
   *
   * @param start when it began, or null if unknown because another process was running
   * @param callContexts active when it began
   */
  record Span(@Nullable Moment start, Set<String> callContexts) {}

  private volatile @Nullable Span span;

  /**
   * Starts a gap, or extends the current one.
   *
   * @param start when it began, or null if unknown
   * @param callContexts active now
   */
  public void begin(@Nullable Moment start, Set<String> callContexts) {
    Span previous = span;
    if (previous == null) {
      span = new Span(start, Set.copyOf(callContexts));
    } else {
      Set<String> merged = new HashSet<>(previous.callContexts());
      merged.addAll(callContexts);
      span = new Span(previous.start(), merged);
    }
  }

  /** Returns the current gap, or an empty one. */
  Span span() {
    Span current = span;
    return current == null ? new Span(null, Set.of()) : current;
  }

  /** Ends the gap. */
  void end() {
    span = null;
  }
}
