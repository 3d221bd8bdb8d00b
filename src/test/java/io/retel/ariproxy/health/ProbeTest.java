// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Timing of probe checks. */
class ProbeTest {

  @Test
  void runsImmediatelyWhenTriggered() throws Exception {
    AtomicBoolean available = new AtomicBoolean();
    Probe probe =
        new Probe(
            "test-probe",
            () -> {
              if (!available.get()) {
                throw new IllegalStateException("Dependency is unavailable");
              }
            },
            Duration.ofMinutes(1),
            Duration.ofHours(1));
    // no effect before the start
    probe.trigger();
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.addService(probe);
      context.start();
      Awaitility.await()
          .until(() -> probe.lastError().orElse("").equals("Dependency is unavailable"));
      available.set(true);
      probe.trigger();
      Awaitility.await().until(() -> probe.lastError().isEmpty());
    }
  }

  @Test
  void hangingCheckInvalidatesLastResult() throws Exception {
    AtomicBoolean hangs = new AtomicBoolean();
    Semaphore answer = new Semaphore(0);
    Probe probe =
        new Probe(
            "test-probe",
            () -> {
              if (hangs.get()) {
                answer.acquire();
              }
            },
            Duration.ofSeconds(1),
            Duration.ofMillis(10));
    assertThat(probe.age()).isEmpty();
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.addService(probe);
      context.start();
      Awaitility.await().until(() -> probe.lastError().isEmpty());

      hangs.set(true);

      Awaitility.await()
          .until(
              () ->
                  probe
                      .lastError()
                      .orElse("")
                      .matches("The check hangs: no result for \\d+ s; .*"));
      assertThat(probe.age().orElseThrow()).isGreaterThan(Duration.ofSeconds(1));

      hangs.set(false);
      answer.release();
      Awaitility.await("not lasting").until(() -> probe.lastError().isEmpty());
    }
    assertThat(probe.age()).as("a stopped probe has no age").isEmpty();
    assertThat(probe.lastError()).isEmpty();
  }
}
