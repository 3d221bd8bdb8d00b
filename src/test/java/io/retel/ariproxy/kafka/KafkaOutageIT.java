// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests an outage of Kafka under load. */
class KafkaOutageIT {

  private static final String APP = "patient";
  private static final String STALL_MESSAGE = "Kafka has acknowledged nothing for 5 s";
  private static final long MIB = 1024 * 1024;

  /** longer than the 5 s after which the log and the health check report a stall */
  private static final Duration OUTAGE = Duration.ofSeconds(7);

  @Test
  void publishesAllEventsInOrderAfterOutage() {
    assertSurvivesOutage(OUTAGE, 500, 256 * MIB);
  }

  @Test
  @FullRun("outage of a minute")
  @Tag(FullRun.ON_DEMAND)
  void publishesAllEventsInOrderAfterLongOutage() {
    assertSurvivesOutage(Duration.ofSeconds(60), 500, 256 * MIB);
  }

  @Test
  @FullRun("a second outage; InFlightLimitIT tests the limit")
  @Tag(FullRun.ON_DEMAND)
  void buffersEventsAtInFlightLimit() {
    assertSurvivesOutage(OUTAGE, 1_000, MIB);
  }

  @Test
  void firstUnmappedEventDoesNotDelayEventsDuringOutage() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        awaitProducersPrepared();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START");
        Awaitility.await().until(() -> inFlightBytes(proxy) == 0);

        kafka.stop();
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        Awaitility.await("unmapped event in flight").until(() -> inFlightBytes(proxy) > 0);
        double unmapped = inFlightBytes(proxy);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during outage"));
        Awaitility.await("later event in flight").until(() -> inFlightBytes(proxy) > unmapped);
        kafka.start();

        controller.event("during outage", "STASIS_START");
        controller.awaitUnmapped();
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    }
  }

  private static double inFlightBytes(EmbeddedProxy proxy) {
    return proxy.gauge("ari-proxy.kafka.in-flight.bytes");
  }

  private static void awaitProducersPrepared() {
    Awaitility.await("producers prepared")
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .noneMatch(thread -> thread.getName().equals("kafka-producer-prepare")));
  }

  @Test
  @FullRun("outage longer than a forced stop of a route")
  void editDuringOutageWaitsWithoutLosingEvents(@TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    try (CapturedLog log = new CapturedLog();
        KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
              // Camel stops a route by force after this time
              .with(Setting.SHUTDOWN_TIMEOUT, "5s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, 20);
        controller.events(200);

        kafka.stop();
        Awaitility.await().until(() -> proxy.gauge("ari-proxy.kafka.ack.stalled") > 1);
        routes.edit("publish.camel.yaml", yaml -> yaml.replace("lingerMs: 5", "lingerMs: 6"));
        routes.edit("events.camel.yaml", yaml -> yaml + "# edited\n");
        String waits = "camel.yaml waits to be loaded: messages in flight do not complete";
        Awaitility.await("edit waits").until(() -> contains(log, Level.WARN, waits));
        // longer than a forced stop of the route, and the close of its producers, take
        Awaitility.await().until(() -> proxy.gauge("ari-proxy.kafka.ack.stalled") > 16);
        kafka.start();

        Awaitility.await("edits in effect")
            .until(
                () ->
                    contains(log, Level.INFO, "publish.camel.yaml loaded")
                        && contains(log, Level.INFO, "events.camel.yaml loaded"));
        flood.awaitMore(200);
        controller.assertPublishedOnceInOrder(flood);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(asterisk.totalWebsocketCount()).as("websockets ever opened").isOne();
      }
    }
  }

  private static boolean contains(CapturedLog log, Level level, String text) {
    return log.lines(level).stream().anyMatch(line -> line.contains(text));
  }

  private static void assertSurvivesOutage(
      Duration outage, int eventsPerSecond, long maxInFlightBytes) {
    try (CapturedLog log = new CapturedLog();
        KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, Long.toString(maxInFlightBytes) + "B");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        InFlightLimiter inFlight =
            proxy
                .context()
                .getRegistry()
                .lookupByNameAndType("limitInFlight", InFlightLimiter.class);
        Flood flood = asterisk.flood(APP, eventsPerSecond, 50);
        controller.events(eventsPerSecond);

        kafka.stop();
        long outageStart = System.nanoTime();
        AtomicLong peakBytes = new AtomicLong();
        Awaitility.await("end of the outage")
            .pollInterval(Duration.ofMillis(100))
            .until(
                () -> {
                  peakBytes.accumulateAndGet(inFlight.inFlightBytes(), Math::max);
                  return System.nanoTime() - outageStart >= outage.toNanos()
                      && log.lines(Level.WARN).stream()
                          .anyMatch(line -> line.startsWith(STALL_MESSAGE));
                });
        assertThat(proxy.health("kafka")).startsWith("DOWN: Kafka has acknowledged nothing for ");
        assertThat(proxy.gauge("ari-proxy.kafka.ack.stalled")).isGreaterThan(5);
        assertThat(proxy.gauge("ari-proxy.kafka.in-flight.bytes")).isPositive();
        assertLoggedOnce(log, Level.WARN, STALL_MESSAGE);
        kafka.start();

        controller.assertPublishedOnceInOrder(flood);
        assertThat(peakBytes.get())
            .as("bytes in flight")
            .isPositive()
            .isLessThanOrEqualTo(maxInFlightBytes);
        assertThat(asterisk.totalWebsocketCount()).as("websockets ever opened").isOne();
        Awaitility.await("all acknowledged").until(() -> inFlight.inFlightBytes() == 0);
        assertThat(proxy.health("kafka")).isEqualTo("UP");
        Awaitility.await("recovery logged")
            .untilAsserted(() -> assertLoggedOnce(log, Level.INFO, "Kafka acknowledges again"));
      }
    }
  }

  private static void assertLoggedOnce(CapturedLog log, Level level, String prefix) {
    assertThat(log.lines(level)).filteredOn(line -> line.startsWith(prefix)).hasSize(1);
  }
}
