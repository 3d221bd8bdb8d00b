// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.time.Moment;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The time without a websocket: from its loss, or from the end of the previous process, until the
 * resync after the next connect. Not thread-safe.
 */
public final class Gap {

  /**
   * The start of each active call's gap, or empty if unknown because another process was running.
   */
  private final Map<String, Optional<Moment>> startByCallContext = new HashMap<>();

  private @Nullable Moment start;

  /**
   * Starts a gap, or extends that of calls whose resync has not completed. Calls that have ended
   * since have none.
   *
   * @param start when it began, or null if unknown
   * @param callContexts active now
   */
  public void begin(@Nullable Moment start, Set<String> callContexts) {
    this.start = start;
    startByCallContext.keySet().retainAll(callContexts);
    callContexts.forEach(
        callContext -> startByCallContext.putIfAbsent(callContext, Optional.ofNullable(start)));
  }

  /** Returns when the latest gap began, or null if unknown. */
  @Nullable Moment start() {
    return start;
  }

  /** Whether the call was active when a gap began that has not ended for it. */
  boolean includes(String callContext) {
    return startByCallContext.containsKey(callContext);
  }

  /**
   * Ends the gap of one call.
   *
   * @return when it began, or null if unknown
   */
  @Nullable Moment end(String callContext) {
    Optional<Moment> ended = startByCallContext.remove(callContext);
    return ended == null ? null : ended.orElse(null);
  }

  /** Ends the gap. */
  void end() {
    start = null;
    startByCallContext.clear();
  }
}
