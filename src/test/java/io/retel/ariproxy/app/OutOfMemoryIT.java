// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Fills a small heap during an outage of Kafka, without the JVM option of {@code bin/ari-proxy}, as
 * with {@code java -jar}.
 */
@Tag("full")
class OutOfMemoryIT {

  private static final String APP = "small-heap";
  private static final String HEAP = "76m";

  /** More than the default limits of this heap hold. */
  private static final int EVENTS = 30_000;

  private static final String LAST_EVENT = "\"sequence\":\"%d\"".formatted(EVENTS - 1);

  @TempDir private Path folder;
  private Path log;
  private KafkaBroker kafka;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;

  @BeforeEach
  void start() {
    log = folder.resolve("proxy.log");
    kafka = KafkaBroker.launch();
    asterisk = SimulatedAsterisk.start();
    settings =
        ProxySettings.of(asterisk, APP, kafka)
            .withHeap(HEAP)
            .withJvmOption("-XX:-ExitOnOutOfMemoryError");
  }

  @AfterEach
  void stop() {
    asterisk.close();
    kafka.close();
  }

  @Test
  void exitsIfLimitsExceedHeap() throws IOException {
    settings.with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, "1GB").with(Setting.ARI_BUFFER_SIZE, "1GB");
    try (ProxyProcess proxy = startConnected()) {
      assertThat(Files.readString(log))
          .contains("Heap of ", " MB is too small for kafka.max-in-flight-bytes = 1024MB, ");
      kafka.stop();
      Flood flood = asterisk.flood(APP, Integer.MAX_VALUE, 0, List.of("call"));

      int exitCode = proxy.awaitEnd();
      flood.stop();
      assertThat(exitCode).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
      assertThat(Files.readString(log)).containsOnlyOnce("Out of memory, exiting with code 3");
    }
  }

  @Test
  void defaultLimitsFollowHeap() throws IOException {
    try (ProxyProcess proxy = startConnected();
        TopicReader events = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      assertThat(Files.readString(log)).contains(" MB limits kafka.max-in-flight-bytes = ");
      kafka.stop();
      Flood flood = asterisk.flood(APP, EVENTS, 0, List.of("call"));
      Awaitility.await("back-pressure")
          .until(() -> Files.readString(log).contains("not reading the socket"));
      kafka.start();

      flood.await();
      events.await(record -> record.text().contains(LAST_EVENT));
      assertThat(proxy.terminate()).isEqualTo(143);
      assertThat(Files.readString(log))
          .contains("all events acknowledged")
          .doesNotContain("OutOfMemoryError");
      assertThat(Files.readAllLines(log))
          .filteredOn(line -> !line.contains("Topics at risk"))
          .noneMatch(line -> line.contains("lost"));
    }
  }

  private ProxyProcess startConnected() {
    ProxyProcess proxy = ProxyProcess.start(settings, log);
    try (TopicReader events = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      asterisk.awaitConnected(APP);
      // a producer needs the metadata of the topic before the outage
      String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "first")).id();
      events.await(record -> record.text().contains(channel));
    }
    return proxy;
  }
}
