package io.retel.ariproxy.command;

import io.retel.ariproxy.ConditionalRoutePolicy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Lets a route run while its Asterisk can be reached; otherwise the other proxies of its group take
 * its part (contract.md section 4).
 */
public final class AsteriskReachablePolicy extends ConditionalRoutePolicy {

  /** How long after a request that did not reach Asterisk the next one may be tried. */
  private static final Duration HOLD_OFF = Duration.ofSeconds(5);

  private final AtomicLong holdOffUntilNanos;

  /**
   * @param ready whether Asterisk's websocket is open, without which the events of a call that is
   *     begun would be missed, whether what it creates can be kept, and whether commands are taken
   */
  public AsteriskReachablePolicy(BooleanSupplier ready) {
    this(ready, new AtomicLong(System.nanoTime()));
  }

  private AsteriskReachablePolicy(BooleanSupplier ready, AtomicLong holdOffUntilNanos) {
    super(
        () -> ready.getAsBoolean() && System.nanoTime() - holdOffUntilNanos.get() >= 0,
        "Asterisk and the call-context store can be reached, and commands are not paused");
    this.holdOffUntilNanos = holdOffUntilNanos;
  }

  /** A request did not reach Asterisk: its routes stop for a while, websocket or not. */
  public void markUnreachable() {
    holdOffUntilNanos.set(System.nanoTime() + HOLD_OFF.toNanos());
  }
}
