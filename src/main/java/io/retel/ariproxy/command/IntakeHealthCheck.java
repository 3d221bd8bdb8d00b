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
public final class IntakeHealthCheck extends AbstractHealthCheck {

  private final CommandIntake intake;
  private final Supplier<List<String>> stoppedByHand;
  private final Supplier<Optional<String>> trouble;

  /**
   * @param stoppedByHand the routes that would read commands, had nobody stopped them
   * @param trouble why commands are not read, in a sentence, or nothing
   */
  public IntakeHealthCheck(
      CommandIntake intake,
      Supplier<List<String>> stoppedByHand,
      Supplier<Optional<String>> trouble) {
    super("ari-proxy", "commands");
    this.intake = intake;
    this.stoppedByHand = stoppedByHand;
    this.trouble = trouble;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    builder.up();
    builder.detail("state", intake.state().toString());
    builder.detail("under.way", intake.underWay());
    builder.detail("waiting", intake.waiting());
    List<String> stopped = stoppedByHand.get();
    if (!stopped.isEmpty()) {
      builder.message("Stopped by hand, until somebody starts it: " + stopped);
    }
    intake
        .pausedSince()
        .ifPresent(since -> builder.message("Commands are paused by an operator since " + since));
    trouble.get().ifPresent(why -> builder.message(why).down());
  }
}
