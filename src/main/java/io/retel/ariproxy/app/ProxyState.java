// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.util.EnumSet;
import java.util.Set;

/**
 * State of the proxy; {@link Lifecycle} holds the current one.
 *
 * <pre>
 * STARTING ── topics exist ──► RESTORING ── mappings restored ──► RUNNING ── pause ──► PAUSED
 *     │                            │                                 │  ◄── resume ──    │
 *     └────────────────────────────┴───────── shutdown ──────────────┴───────────────────┘
 *                                                │
 *                                                ▼
 *                                            DRAINING ── routes have stopped ──► STOPPED
 * </pre>
 *
 * <p>A pause during startup leads from RESTORING to PAUSED. A failed startup leads to STOPPED.
 */
enum ProxyState {
  /** Waits for Kafka and its topics; consumes nothing. */
  STARTING,
  /** Reads mappings and subscriptions from the store; consumes nothing. */
  RESTORING,
  /** Consumes events and commands. */
  RUNNING,
  /** Consumes events; an operator has paused commands. */
  PAUSED,
  /** Shuts down: consumes nothing new, completes commands and events in flight. */
  DRAINING,
  /** All routes have stopped; pending changes are still written to the store. */
  STOPPED;

  /** Returns whether the transition to another state is allowed. */
  boolean allows(ProxyState next) {
    return successors().contains(next);
  }

  private Set<ProxyState> successors() {
    return switch (this) {
      case STARTING -> EnumSet.of(RESTORING, DRAINING, STOPPED);
      case RESTORING -> EnumSet.of(RUNNING, PAUSED, DRAINING, STOPPED);
      case RUNNING -> EnumSet.of(PAUSED, DRAINING);
      case PAUSED -> EnumSet.of(RUNNING, DRAINING);
      case DRAINING -> EnumSet.of(STOPPED);
      case STOPPED -> EnumSet.noneOf(ProxyState.class);
    };
  }

  /** Returns whether a shutdown has begun. */
  boolean isShutdown() {
    return this == DRAINING || this == STOPPED;
  }
}
