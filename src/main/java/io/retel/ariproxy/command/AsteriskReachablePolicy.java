// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.route.ConditionalRoutePolicy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Route policy that runs a route only while its Asterisk is reachable; while it is stopped, the
 * other proxies of the group consume its partitions (docs/contract.md#commands).
 */
public final class AsteriskReachablePolicy extends ConditionalRoutePolicy {

  /** Pause after a command that was not sent. */
  private static final Duration HOLD_OFF = Duration.ofSeconds(5);

  private final AtomicLong holdOffUntilNanos;

  /**
   * @param ready whether Asterisk's websocket is open with all applications (otherwise events of
   *     new calls are missed), mappings of created resources can be persisted, and commands are not
   *     paused
   */
  public AsteriskReachablePolicy(BooleanSupplier ready) {
    this(ready, new AtomicLong(System.nanoTime()));
  }

  private AsteriskReachablePolicy(BooleanSupplier ready, AtomicLong holdOffUntilNanos) {
    super(
        () -> ready.getAsBoolean() && System.nanoTime() - holdOffUntilNanos.get() >= 0,
        "Asterisk and the call-context store are reachable, no application is lost, no generic "
            + "operation hangs, and commands are not paused",
        // few of these conditions are reported
        PENDING_INTERVAL);
    this.holdOffUntilNanos = holdOffUntilNanos;
  }

  /**
   * Stops the routes for 5 s after a command that was not sent, such as to an Asterisk that is not
   * reachable or whose operation hangs, even if the websocket is open.
   */
  public void markUnreachable() {
    holdOffUntilNanos.set(System.nanoTime() + HOLD_OFF.toNanos());
    wake();
  }
}
