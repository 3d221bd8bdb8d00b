// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Health check: DOWN while commands are not consumed because of a fault, or no other command can
 * start because all hang. A pause, a route stopped by an operator, or an open transaction is
 * reported but stays UP.
 */
public final class CommandHealthCheck extends AbstractHealthCheck {

  private final CommandConsumption consumption;
  private final Supplier<List<String>> manuallyStopped;
  private final Supplier<Optional<String>> heldBack;
  private final HangingCommands hanging;
  private final BooleanSupplier fetchingPaused;
  private final Supplier<Optional<String>> downReason;

  /**
   * @param manuallyStopped the command routes that an operator has stopped
   * @param heldBack which commands wait for a transaction of a controller, as a sentence; or empty
   * @param hanging the commands that hang
   * @param fetchingPaused whether no more are fetched, since those in flight reach a limit
   * @param downReason why commands are not consumed, as a sentence; or empty
   */
  public CommandHealthCheck(
      CommandConsumption consumption,
      Supplier<List<String>> manuallyStopped,
      Supplier<Optional<String>> heldBack,
      HangingCommands hanging,
      BooleanSupplier fetchingPaused,
      Supplier<Optional<String>> downReason) {
    super("ari-proxy", "commands");
    this.consumption = consumption;
    this.manuallyStopped = manuallyStopped;
    this.heldBack = heldBack;
    this.hanging = hanging;
    this.fetchingPaused = fetchingPaused;
    this.downReason = downReason;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    builder.up();
    builder.detail("state", consumption.state().toString());
    builder.detail("in.flight", consumption.inFlight());
    builder.detail("queued", consumption.pending());
    String hangingOperations = hanging.description();
    if (!hangingOperations.isEmpty()) {
      builder.detail("hanging", hangingOperations);
    }
    if (fetchingPaused.getAsBoolean()) {
      builder.detail("fetching", "paused, since the commands in flight reach their limit");
    }
    heldBack.get().ifPresent(builder::message);
    List<String> stopped = manuallyStopped.get();
    if (!stopped.isEmpty()) {
      builder.message("Stopped manually, not restarted yet: " + stopped);
    }
    if (consumption.isGenericPaused()) {
      builder.message("Generic commands paused by an operator");
    }
    consumption
        .pausedSince()
        .ifPresent(since -> builder.message("Commands paused by an operator since " + since));
    downReason.get().or(hanging::downReason).ifPresent(reason -> builder.message(reason).down());
  }
}
