// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.health.HealthCheckRegistry;

/**
 * The proxy's health checks, most for readiness: killing the process does not help while Asterisk
 * or Kafka is unavailable. Liveness is Camel's check {@code context} and {@link EssentialThreads}.
 * Each check that can be DOWN has a gauge, on which an alert fires.
 */
public final class HealthChecks {

  private final HealthCheckRegistry registry;
  private final MeterRegistry meters;

  public HealthChecks(CamelContext context, MeterRegistry meters) {
    this.registry = HealthCheckRegistry.get(context);
    this.meters = meters;
    addHealthGauge("context", () -> context.getStatus().isStarted());
  }

  /**
   * Adds a check of the proxy itself.
   *
   * @param problem the problem as a sentence, or empty; must not block
   */
  public HealthChecks add(String id, Supplier<Optional<String>> problem) {
    return add(new ProxyHealthCheck(id, problem));
  }

  /**
   * Adds a check that remains UP and reports a problem that an operator must solve.
   *
   * @param problem the problem as a sentence, or empty; must not block
   */
  public HealthChecks addNotice(String id, Supplier<Optional<String>> problem) {
    registry.register(ProxyHealthCheck.ofNotice(id, problem));
    return this;
  }

  /** Adds the check that is DOWN, also for liveness, once an essential thread has ended. */
  public HealthChecks add(EssentialThreads threads) {
    return add(ProxyHealthCheck.ofLiveness("threads", threads::firstEnded));
  }

  /** Adds a check of the proxy itself that reports additional details. */
  public HealthChecks add(HealthCheck check) {
    registry.register(check);
    return addHealthGauge(check.getId(), () -> check.call().getState() != State.DOWN);
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

  /** Adds the gauges of the websocket, whose component has the check. */
  public HealthChecks addWebsocketGauges(Supplier<Boolean> isConnected) {
    addAvailabilityGauge("ari-websocket", isConnected);
    return addHealthGauge("websocket", isConnected);
  }

  private void addAvailabilityGauge(String service, Supplier<Boolean> isAvailable) {
    Meters.BACKING_SERVICE_AVAILABILITY.gauge(meters, () -> isAvailable.get() ? 1 : 0, service);
  }

  private HealthChecks addHealthGauge(String check, Supplier<Boolean> isUp) {
    Meters.HEALTH.gauge(meters, () -> isUp.get() ? 1 : 0, check);
    return this;
  }
}
