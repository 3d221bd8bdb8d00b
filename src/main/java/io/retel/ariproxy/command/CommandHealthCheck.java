package io.retel.ariproxy.command;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * DOWN while commands are not read for a reason that nobody wants. It shows that they are paused,
 * or that a route of theirs is stopped, too: that is what somebody wants, and no trouble.
 */
public final class CommandHealthCheck extends AbstractHealthCheck {

  private final CommandConsumption consumption;
  private final Supplier<List<String>> manuallyStopped;
  private final Supplier<Optional<String>> downReason;

  /**
   * @param stoppedByHand the routes that would read commands, had nobody stopped them
   * @param trouble why commands are not read, in a sentence, or nothing
   */
  public CommandHealthCheck(
      CommandConsumption consumption,
      Supplier<List<String>> manuallyStopped,
      Supplier<Optional<String>> downReason) {
    super("ari-proxy", "commands");
    this.consumption = consumption;
    this.manuallyStopped = manuallyStopped;
    this.downReason = downReason;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    builder.up();
    builder.detail("state", consumption.state().toString());
    builder.detail("in.flight", consumption.inFlight());
    builder.detail("queued", consumption.pending());
    List<String> stopped = manuallyStopped.get();
    if (!stopped.isEmpty()) {
      builder.message("Stopped by hand, until somebody starts it: " + stopped);
    }
    consumption
        .pausedSince()
        .ifPresent(since -> builder.message("Commands are paused by an operator since " + since));
    downReason.get().ifPresent(reason -> builder.message(reason).down());
  }
}
