// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Health check that is DOWN while a problem exists, with the problem as its message; a notice only
 * shows its message.
 */
public final class ProxyHealthCheck extends AbstractHealthCheck {

  private enum Kind {
    READINESS,
    LIVENESS,
    NOTICE
  }

  private final Supplier<Optional<String>> problem;
  private final Supplier<Map<String, Object>> details;
  private final Kind kind;

  /**
   * @param id the check's name
   * @param problem the problem as a sentence, or empty; must not block
   */
  public ProxyHealthCheck(String id, Supplier<Optional<String>> problem) {
    this(id, problem, Map::of, Kind.READINESS);
  }

  /**
   * @param details additional values, reported in any state
   */
  public ProxyHealthCheck(
      String id, Supplier<Optional<String>> problem, Supplier<Map<String, Object>> details) {
    this(id, problem, details, Kind.READINESS);
  }

  private ProxyHealthCheck(
      String id,
      Supplier<Optional<String>> problem,
      Supplier<Map<String, Object>> details,
      Kind kind) {
    super("ari-proxy", id);
    this.problem = problem;
    this.details = details;
    this.kind = kind;
  }

  /** Returns a check that is also for liveness: only a restart ends the problem. */
  static ProxyHealthCheck ofLiveness(String id, Supplier<Optional<String>> problem) {
    return new ProxyHealthCheck(id, problem, Map::of, Kind.LIVENESS);
  }

  /** Returns a check that is always UP: the proxy continues in spite of the problem. */
  static ProxyHealthCheck ofNotice(String id, Supplier<Optional<String>> problem) {
    return new ProxyHealthCheck(id, problem, Map::of, Kind.NOTICE);
  }

  @Override
  public boolean isLiveness() {
    return kind == Kind.LIVENESS;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    builder.details(details.get());
    builder.up();
    problem
        .get()
        .ifPresent(
            reason -> {
              builder.message(reason);
              if (kind != Kind.NOTICE) {
                builder.down();
              }
            });
  }
}
