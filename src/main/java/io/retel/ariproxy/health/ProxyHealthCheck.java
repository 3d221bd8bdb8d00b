// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** Health check that is DOWN while a problem exists, with the problem as its message. */
public final class ProxyHealthCheck extends AbstractHealthCheck {

  private final Supplier<Optional<String>> problem;

  /**
   * @param id the check's name
   * @param problem the problem as a sentence, or empty; must not block
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
