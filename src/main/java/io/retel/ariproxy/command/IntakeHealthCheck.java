package io.retel.ariproxy.command;

import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Shows that commands are paused. That is what somebody wants, and no trouble: it is always UP. */
public final class IntakeHealthCheck extends AbstractHealthCheck {

  private final CommandIntake intake;

  public IntakeHealthCheck(CommandIntake intake) {
    super("ari-proxy", "commands");
    this.intake = intake;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    builder.up();
    builder.detail("state", intake.state().toString());
    builder.detail("under.way", intake.underWay());
    builder.detail("waiting", intake.waiting());
    intake
        .pausedSince()
        .ifPresent(since -> builder.message("Commands are paused by an operator since " + since));
  }
}
