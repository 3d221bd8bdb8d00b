package io.retel.ariproxy.management;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckRegistry;

/**
 * The proxy's health checks, all of readiness: a process whose Asterisk or Kafka is away is no
 * better after it has been killed. Whether it lives is Camel's check {@code context}.
 */
public final class HealthChecks {

  /** The name of what the websocket's component checks. */
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
   * @param trouble what is wrong, in a sentence, or nothing; must not wait
   */
  public HealthChecks add(String id, Supplier<Optional<String>> problem) {
    registry.register(new ProxyHealthCheck(id, problem));
    return this;
  }

  /** Adds a check of the proxy itself that tells more than what is wrong. */
  public HealthChecks add(HealthCheck check) {
    registry.register(check);
    return this;
  }

  /**
   * Adds a check of something that the proxy depends on, which has a gauge as well.
   *
   * @param trouble what is wrong, in a sentence, or nothing; must not wait
   */
  public HealthChecks addDependency(String id, Supplier<Optional<String>> problem) {
    addAvailabilityGauge(id, () -> problem.get().isEmpty());
    return add(id, problem);
  }

  /** Adds the gauge of something that has a check elsewhere. */
  public HealthChecks addAvailabilityGauge(String service, Supplier<Boolean> isAvailable) {
    Meters.BACKING_SERVICE_AVAILABILITY.gauge(meters, () -> isAvailable.get() ? 1 : 0, service);
    return this;
  }
}
