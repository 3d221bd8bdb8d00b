// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheck.Result;
import org.apache.camel.health.HealthCheck.State;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Results of health checks are shared for a short time. */
class EscapingHealthCheckRegistryTest {

  private final EscapingHealthCheckRegistry registry =
      new EscapingHealthCheckRegistry(new DefaultCamelContext());

  private final AtomicInteger calls = new AtomicInteger();
  private volatile Optional<String> problem = Optional.empty();

  private HealthCheck check() {
    return new ProxyHealthCheck(
        "check",
        () -> {
          calls.incrementAndGet();
          return problem;
        });
  }

  @Test
  void numberOfChecksDoesNotDependOnRequests() {
    registry.register(check());
    long start = System.nanoTime();
    for (int i = 0; i < 10_000; i++) {
      assertThat(result().getState()).isEqualTo(State.UP);
    }
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    assertThat(calls.get())
        .isBetween(
            1, 1 + (int) (taken.toMillis() / EscapingHealthCheckRegistry.MAX_AGE.toMillis()));
  }

  @Test
  void reportsChangeOnceResultIsOld() {
    registry.register(check());
    assertThat(result().getState()).isEqualTo(State.UP);
    problem = Optional.of("broken");
    Awaitility.await().until(() -> result().getState() == State.DOWN);
    assertThat(result().getMessage()).contains("broken");
    assertThat(calls).hasValueGreaterThan(1);
  }

  @Test
  void replacedCheckIsCalledAtOnce() {
    HealthCheck first = check();
    registry.register(first);
    assertThat(result().getState()).isEqualTo(State.UP);
    registry.unregister(first);
    problem = Optional.of("broken");
    registry.register(check());
    assertThat(result().getState()).isEqualTo(State.DOWN);
  }

  private Result result() {
    return registry.stream().findFirst().orElseThrow().call();
  }
}
