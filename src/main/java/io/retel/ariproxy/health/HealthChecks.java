// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckRegistry;

/**
 * The proxy's health checks, most for readiness: killing the process does not help while Asterisk
 * or Kafka is unavailable. Liveness is Camel's check {@code context} and {@link EssentialThreads}.
 */
public final class HealthChecks {

  /** Service name of the websocket, whose component has the check. */
  public static final String WEBSOCKET = "ari-websocket";

  private final HealthCheckRegistry registry;
  private final MeterRegistry meters;

  public HealthChecks(CamelContext context, MeterRegistry meters) {
    this.registry = HealthCheckRegistry.get(context);
    this.meters = meters;
  }

  /**
   * Adds a check of the proxy itself.
   *
   * @param problem the problem as a sentence, or empty; must not block
   */
  public HealthChecks add(String id, Supplier<Optional<String>> problem) {
    registry.register(new ProxyHealthCheck(id, problem));
    return this;
  }

  /**
   * Adds a check that remains UP and reports a problem that an operator must solve.
   *
   * @param problem the problem as a sentence, or empty; must not block
   */
  public HealthChecks addNotice(String id, Supplier<Optional<String>> problem) {
    return add(ProxyHealthCheck.ofNotice(id, problem));
  }

  /** Adds the check that is DOWN, also for liveness, once an essential thread has ended. */
  public HealthChecks add(EssentialThreads threads) {
    return add(ProxyHealthCheck.ofLiveness("threads", threads::firstEnded));
  }

  /** Adds a check of the proxy itself that reports additional details. */
  public HealthChecks add(HealthCheck check) {
    registry.register(check);
    return this;
  }

  /**
   * Adds a check and an availability gauge of a dependency.
   *
   * @param problem the problem as a sentence, or empty; must not block
   */
  public HealthChecks addDependency(String id, Supplier<Optional<String>> problem) {
    addAvailabilityGauge(id, () -> problem.get().isEmpty());
    return add(id, problem);
  }

  /**
   * Adds the gauge of the time since the last result of a check.
   *
   * @param age empty while it does not run
   */
  public HealthChecks addAgeGauge(String service, Supplier<Optional<Duration>> age) {
    Meters.PROBE_AGE.gauge(
        meters,
        () -> age.get().map(known -> known.toMillis() / 1_000.0).orElse(Double.NaN),
        service);
    return this;
  }

  /** Adds the availability gauge of a service that is checked elsewhere. */
  public HealthChecks addAvailabilityGauge(String service, Supplier<Boolean> isAvailable) {
    Meters.BACKING_SERVICE_AVAILABILITY.gauge(meters, () -> isAvailable.get() ? 1 : 0, service);
    return this;
  }
}
