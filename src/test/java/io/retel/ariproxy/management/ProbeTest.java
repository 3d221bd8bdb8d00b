package io.retel.ariproxy.management;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** When a probe asks. */
class ProbeTest {

  @Test
  void runsImmediatelyWhenTriggered() throws Exception {
    AtomicBoolean available = new AtomicBoolean();
    Probe probe =
        new Probe(
            "ask",
            () -> {
              if (!available.get()) {
                throw new IllegalStateException("It is not there");
              }
            },
            Duration.ofHours(1));
    // before it is started there is nothing to do again
    probe.trigger();
    try (DefaultCamelContext context = new DefaultCamelContext()) {
      context.addService(probe);
      context.start();
      Awaitility.await().until(() -> probe.lastError().orElse("").equals("It is not there"));
      available.set(true);
      probe.trigger();
      Awaitility.await().until(() -> probe.lastError().isEmpty());
    }
  }
}
