package io.retel.ariproxy.command;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * DOWN while commands are not read for a reason that nobody wants. It shows that they are paused,
 * too: that is what somebody wants, and no trouble.
 */
public final class IntakeHealthCheck extends AbstractHealthCheck {

  private final CommandIntake intake;
  private final Supplier<Optional<String>> trouble;

  /**
   * @param trouble why commands are not read, in a sentence, or nothing
   */
  public IntakeHealthCheck(CommandIntake intake, Supplier<Optional<String>> trouble) {
    super("ari-proxy", "commands");
    this.intake = intake;
    this.trouble = trouble;
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
    trouble.get().ifPresent(why -> builder.message(why).down());
  }
}
