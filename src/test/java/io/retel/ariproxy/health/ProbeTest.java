// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import java.time.Duration;
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
}
