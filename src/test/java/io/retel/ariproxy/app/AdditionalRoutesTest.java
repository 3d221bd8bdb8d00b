// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class AdditionalRoutesTest {

  @AutoClose private final CapturedLog log = new CapturedLog();
  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  @Test
  void waitsUntilLoaded() throws Exception {
    AtomicBoolean loaded = new AtomicBoolean();
    AdditionalRoutes routes = new AdditionalRoutes(DefaultTimeout.DURATION);
    routes.loadOnStart(context, () -> loaded.set(context.isStarted()), Optional::empty);
    context.start();
    routes.await();
    assertThat(loaded).isTrue();
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  /** A route's own Kafka client must not connect to what is not Kafka. */
  @Test
  void loadAfterEarlierPreconditions() throws Exception {
    AtomicBoolean isKafka = new AtomicBoolean();
    AtomicBoolean loadedEarly = new AtomicBoolean();
    AdditionalRoutes routes = new AdditionalRoutes(DefaultTimeout.DURATION);
    routes.loadOnStart(context, () -> loadedEarly.set(!isKafka.get()), Optional::empty);
    context.start();
    StartupGate gate =
        new StartupGate(
            List.of(
                () -> {
                  if (!isKafka.get()) {
                    throw new IllegalStateException("is not Kafka");
                  }
                },
                routes::await));
    gate.start();
    Awaitility.await().until(() -> gate.unmetPrecondition().equals(Optional.of("is not Kafka")));
    isKafka.set(true);
    Awaitility.await().until(gate::isReady);
    gate.stop();
    assertThat(loadedEarly).isFalse();
  }

  @Test
  void namesRoutesThatStillLoad() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    AdditionalRoutes routes = new AdditionalRoutes(Duration.ofMillis(1));
    routes.loadOnStart(
        context,
        () -> {
          try {
            end.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        },
        () -> Optional.of("org.example.Blocking"));
    context.start();
    StartupGate gate = new StartupGate(List.of(routes::await));
    gate.start();
    String reason = "Additional routes still load: org.example.Blocking blocks its start";
    Awaitility.await().until(() -> gate.unmetPrecondition().equals(Optional.of(reason)));
    end.countDown();
    Awaitility.await().until(gate::isReady);
    gate.stop();
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .startsWith("Additional routes still load after ")
        .endsWith("org.example.Blocking blocks its start");
  }
}
