package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.kafka.BoundInFlight;
import io.retel.ariproxy.settings.Setting;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Kafka goes away under load. */
class KafkaGoneIT {

  private static final String APP = "patient";
  private static final String SILENT = "Kafka has acknowledged nothing for 5 s";
  private static final long MIB = 1024 * 1024;

  /** Longer than the silence of 5 s that a line and the health check tell of. */
  private static final Duration OUTAGE = Duration.ofSeconds(7);

  @Test
  void nothingIsLostAndTheOrderIsKeptWhenKafkaIsAway() {
    goneFor(OUTAGE, 500, 256 * MIB);
  }

  @Test
  @FullRun("an outage of a minute")
  void nothingIsLostAndTheOrderIsKeptWhenKafkaIsAwayForAMinute() {
    goneFor(Duration.ofSeconds(60), 500, 256 * MIB);
  }

  @Test
  void eventsWaitInTheWebsocketsBufferWhenTheHeapInFlightIsUsedUp() {
    goneFor(OUTAGE, 1_000, MIB);
  }

  private static void goneFor(Duration outage, int perSecond, long maxHeap) {
    try (CapturedLog log = new CapturedLog();
        KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_MAX_HEAP_IN_FLIGHT, Long.toString(maxHeap));
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        BoundInFlight inFlight =
            proxy.context().getRegistry().lookupByNameAndType("boundInFlight", BoundInFlight.class);
        Flood flood = asterisk.flood(APP, perSecond, 50);
        controller.events(perSecond, record -> true);

        kafka.stop();
        long gone = System.nanoTime();
        AtomicLong highest = new AtomicLong();
        Awaitility.await("the outage")
            .pollInterval(Duration.ofMillis(100))
            .until(
                () -> {
                  highest.accumulateAndGet(inFlight.taken(), Math::max);
                  return System.nanoTime() - gone >= outage.toNanos()
                      && log.lines(Level.WARN).stream().anyMatch(line -> line.startsWith(SILENT));
                });
        assertThat(proxy.health("kafka")).startsWith("DOWN: Kafka has acknowledged nothing for ");
        assertThat(proxy.gauge("ari-proxy.kafka.silent-seconds")).isGreaterThan(5);
        assertThat(proxy.gauge("ari-proxy.kafka.heap-in-flight")).isPositive();
        assertSaidOnce(log, Level.WARN, SILENT);
        kafka.start();

        controller.assertPublishedOnceInOrder(flood);
        assertThat(highest.get()).as("heap in flight").isPositive().isLessThanOrEqualTo(maxHeap);
        assertThat(asterisk.websocketsTotal()).as("websockets that were ever opened").isOne();
        Awaitility.await("all is acknowledged").until(() -> inFlight.taken() == 0);
        assertThat(proxy.health("kafka")).isEqualTo("UP");
        Awaitility.await("it is said that all is well")
            .untilAsserted(() -> assertSaidOnce(log, Level.INFO, "Kafka acknowledges again"));
      }
    }
  }

  private static void assertSaidOnce(CapturedLog log, Level level, String beginning) {
    assertThat(log.lines(level)).filteredOn(line -> line.startsWith(beginning)).hasSize(1);
  }
}
