package io.retel.ariproxy.management;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** DOWN, with a sentence that says why, while something is wrong. */
public final class ProxyHealthCheck extends AbstractHealthCheck {

  private final Supplier<Optional<String>> problem;

  /**
   * @param id the check's name
   * @param trouble what is wrong, or nothing; must not wait
   */
  public ProxyHealthCheck(String id, Supplier<Optional<String>> problem) {
    super("ari-proxy", id);
    this.problem = problem;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    problem.get().ifPresentOrElse(reason -> builder.message(reason).down(), builder::up);
  }
}
