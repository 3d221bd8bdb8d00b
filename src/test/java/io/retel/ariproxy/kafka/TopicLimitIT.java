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
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Tests a topic that rejects batches of the configured size. Kafka's producer splits such a batch
 * into batches of the same size, and publishes nothing of its partition until the process ends.
 */
@FullRun("fills batches under load; RecoveringProducerIT has the same cases without a proxy")
class TopicLimitIT {

  private static final String APP = "limited";

  /** Below the batch size of the route {@code publish}. */
  private static final int LIMIT = 50_000;

  private static final String REPLACED = "Producer of topics ";

  /** Too short to replace the producer without knowing the limit. */
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(1);

  /** For closing producers and services, on a busy machine. */
  private static final Duration SHUTDOWN_GRACE = Duration.ofSeconds(20);

  private static final Pattern LOST_ON_SHUTDOWN =
      Pattern.compile("(\\d+) (?:events lost on shutdown|messages of .* that were read are lost)");

  private KafkaBroker kafka;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private CapturedLog log;

  @BeforeEach
  void launchServers() {
    log = new CapturedLog();
    kafka = KafkaBroker.withAccessControl();
    asterisk = SimulatedAsterisk.start();
    settings = ProxySettings.of(asterisk, APP, kafka);
  }

  @AfterEach
  void closeServers() {
    asterisk.close();
    kafka.close();
    log.close();
  }

  @Test
  void publishesOnceAfterOutage() {
    kafka.setMaxMessageBytes(settings.eventsTopic(), LIMIT);
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      asterisk.awaitConnected(APP);
      Flood oneCall = asterisk.flood(APP, 300, 1);
      reader.await(300);

      fillBatches(oneCall);

      assertPublishedInOrder(reader, oneCall);
      assertThat(reader.records()).as("no duplicates").hasSize(recordCount(oneCall));
      assertThat(log.lines(Level.WARN)).noneMatch(line -> line.startsWith(REPLACED));
    }
  }

  @Test
  void publishesAfterLimitIsLowered() {
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      asterisk.awaitConnected(APP);
      Flood oneCall = asterisk.flood(APP, 300, 1);
      reader.await(300);
      kafka.setMaxMessageBytes(settings.eventsTopic(), LIMIT);

      fillBatches(oneCall);

      assertPublishedInOrder(reader, oneCall);
      assertThat(log.lines(Level.WARN))
          .filteredOn(line -> line.startsWith(REPLACED))
          .singleElement()
          .asString()
          .contains(settings.eventsTopic(), "50000");
      Awaitility.await("health").until(() -> proxy.health("kafka").equals("UP"));
    }
  }

  /** Without the permission to read the limit, the producer tries smaller batches. */
  @Test
  @FullRun("waits for silence; RecoveringProducerIT tries smaller batches as well")
  void publishesWithoutPermissionToReadLimit() {
    kafka.setMaxMessageBytes(settings.eventsTopic(), LIMIT);
    kafka.denyDescribeConfigs(settings.eventsTopic());
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      asterisk.awaitConnected(APP);
      assertThat(log.lines(Level.WARN))
          .filteredOn(line -> line.startsWith("Cannot read max.message.bytes"))
          .singleElement()
          .asString()
          .contains(settings.eventsTopic());
      Flood oneCall = asterisk.flood(APP, 300, 1);
      reader.await(300);

      fillBatches(oneCall);

      assertPublishedInOrder(reader, oneCall);
      assertThat(proxy.counter("ari-proxy.kafka.producers.replaced")).isOne();
    }
  }

  /** Whether or not the producer is replaced before its end, each event is published or lost. */
  @Test
  @FullRun("third outage of this class")
  void reportsUnpublishedEventsOnStop() {
    settings.with(Setting.SHUTDOWN_TIMEOUT, SHUTDOWN_TIMEOUT.toSeconds() + "s");
    kafka.setMaxMessageBytes(settings.eventsTopic(), LIMIT);
    kafka.denyDescribeConfigs(settings.eventsTopic());
    try (TopicReader reader = TopicReader.of(kafka.bootstrapServers(), settings.eventsTopic())) {
      Flood oneCall;
      long stopStart;
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        oneCall = asterisk.flood(APP, 300, 1);
        reader.await(300);
        fillBatches(oneCall);
        oneCall.stop();
        asterisk.websocketFaults(APP).ping("all events read").awaitPong();
        stopStart = System.nanoTime();
      }
      assertThat(Duration.ofNanos(System.nanoTime() - stopStart))
          .isLessThan(SHUTDOWN_TIMEOUT.plus(SHUTDOWN_GRACE));
      Awaitility.await("all records read")
          .until(() -> reader.records().size() == kafka.recordCount(settings.eventsTopic()));
      long lost =
          log.lines(Level.ERROR).stream()
              .map(LOST_ON_SHUTDOWN::matcher)
              .filter(Matcher::find)
              .mapToLong(line -> Long.parseLong(line.group(1)))
              .sum();
      assertThat(publishedCount(reader) + lost).isEqualTo(oneCall.sent());
    }
  }

  /** Lets so many events wait for Kafka that its producer fills its batches. */
  private void fillBatches(Flood flood) {
    kafka.stop();
    flood.awaitMore(900);
    kafka.start();
  }

  private static long publishedCount(TopicReader reader) {
    return reader.records().stream()
        .flatMap(record -> Flood.EventId.parse(record.json().path("payload")).stream())
        .map(Flood.EventId::sequence)
        .distinct()
        .count();
  }

  private static int recordCount(Flood flood) {
    // a StasisStart for each call
    return (int) flood.sent() + flood.calls().size();
  }

  /** Asserts that no event is missing, and that only an event already published is repeated. */
  private static void assertPublishedInOrder(TopicReader reader, Flood flood) {
    flood.stop();
    Map<String, Long> next = new HashMap<>();
    Awaitility.await("all events published")
        .pollInterval(Duration.ofMillis(200))
        .until(() -> publishedCount(reader), published -> published == flood.sent());
    List<Flood.EventId> published =
        reader.records().stream()
            .flatMap(record -> Flood.EventId.parse(record.json().path("payload")).stream())
            .toList();
    for (Flood.EventId event : published) {
      long expected = next.getOrDefault(event.channelId(), 0L);
      assertThat(event.channelSequence())
          .as("order of %s", event.channelId())
          .isLessThanOrEqualTo(expected);
      next.put(event.channelId(), Math.max(expected, event.channelSequence() + 1));
    }
  }
}
