// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.command.CommandConsumption;
import io.retel.ariproxy.time.Moment;
import java.time.Instant;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Owner of the proxy's state and of an operator's pause. Health, JMX and metrics read it; each
 * transition is one log line. Never throws. Thread-safe.
 *
 * <p>The pause is separate from the state, since it can begin before {@link ProxyState#RUNNING}.
 */
final class Lifecycle implements CommandConsumption.Pause {

  private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);

  private final Supplier<Moment> clock;

  /** Rejected transitions, each of which is logged once. */
  private final Set<String> rejected = new HashSet<>();

  private ProxyState state = ProxyState.STARTING;
  private Instant stateSince;

  /** Null while not paused. */
  private @Nullable Moment pausedSince;

  Lifecycle(Supplier<Moment> clock) {
    this.clock = clock;
    this.stateSince = clock.get().timeOfDay();
  }

  synchronized ProxyState state() {
    return state;
  }

  /** Time of the last transition. */
  synchronized Instant stateSince() {
    return stateSince;
  }

  /**
   * Enters a state. Ignores the progress of a startup that a shutdown has overtaken.
   *
   * @param detail the cause and effect as a clause, for the log
   */
  void enter(ProxyState next, String detail) {
    enter(next, Level.INFO, detail);
  }

  /**
   * Enters a state.
   *
   * @param level WARN if the transition needs attention
   * @see #enter(ProxyState, String)
   */
  synchronized void enter(ProxyState next, Level level, String detail) {
    if (state.allows(next)) {
      state = next;
      stateSince = clock.get().timeOfDay();
      log(level, detail);
      return;
    }
    boolean overtaken = state.isShutdown() && !next.isShutdown();
    if (!overtaken && rejected.add(state + " " + next)) {
      LOG.error("State {} rejected: not allowed after {}; report this error", next, state);
    }
  }

  /** Enters RUNNING, or PAUSED if an operator has paused during startup. */
  synchronized void completeStartup() {
    if (pausedSince == null) {
      enter(ProxyState.RUNNING, "call contexts are restored");
    } else {
      enter(
          ProxyState.PAUSED,
          "call contexts are restored, commands paused since " + pausedSince.timeOfDay());
    }
  }

  @Override
  public synchronized Optional<Instant> pausedSince() {
    return Optional.ofNullable(pausedSince).map(Moment::timeOfDay);
  }

  @Override
  public synchronized void pause(String detail) {
    pausedSince = clock.get();
    if (state == ProxyState.RUNNING) {
      enter(ProxyState.PAUSED, detail);
    } else {
      log(Level.INFO, detail);
    }
  }

  @Override
  public synchronized void resume() {
    if (pausedSince == null) {
      return;
    }
    String detail =
        "commands resumed after %d s".formatted(clock.get().since(pausedSince).toSeconds());
    pausedSince = null;
    if (state == ProxyState.PAUSED) {
      enter(ProxyState.RUNNING, detail);
    } else {
      log(Level.INFO, detail);
    }
  }

  private void log(Level level, String detail) {
    LOG.atLevel(level).log("State {}: {}", state, detail);
  }
}
