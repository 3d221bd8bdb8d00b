// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests partitions that are added to the events topic while calls are up. */
@ExtendWith(KafkaExtension.class)
@FullRun("waits for the metadata of the clients")
class AddedPartitionsIT {

  private static final String APP = "added-partitions";
  private static final int CALLS = 50;

  /** As in docs/scaling.md#partitions. */
  @Test
  @FullRun("waits until the producer knows the partitions")
  void callsStayInOrderIfPublishingIsStopped(KafkaBroker kafka) {
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String topic = settings.eventsTopic();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          TopicReader events = TopicReader.of(kafka.bootstrapServers(), topic)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, CALLS);
        events.await(500);

        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await("commands drained")
            .until(() -> commands.getAttribute("State").equals("DRAINED"));
        ManagedBean route = proxy.camelManagedBean("routes", "events");
        route.invoke("stop");
        long before = kafka.recordCount(topic);
        events.await((int) before);
        kafka.addPartitions(topic, 8);
        assertLogged(log, topic);
        // the time in which the producer finds them: metadataMaxAgeMs
        long waited = System.nanoTime();
        Awaitility.await("metadata of the producer")
            .until(() -> System.nanoTime() - waited > 11_000_000_000L);
        assertThat(kafka.recordCount(topic)).as("records while stopped").isEqualTo(before);
        route.invoke("start");
        commands.invoke("resume");

        flood.awaitMore(1_000).stop();
        List<TopicRecord> published =
            events.await((int) flood.sent(), record -> eventId(record).isPresent());
        assertThat(published).hasSize((int) flood.sent());
        assertThat(published).as("calls on added partitions").anyMatch(r -> r.partition() >= 4);
        assertConsumedInOrder(published);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    }
  }

  /** Asserts that a consumer that has read the old partitions to their end reads calls in order. */
  private static void assertConsumedInOrder(List<TopicRecord> published) {
    Map<String, Long> next = new HashMap<>();
    for (TopicRecord record : published) {
      Flood.EventId id = eventId(record).orElseThrow();
      long expected = next.merge(id.channelId(), 1L, Long::sum) - 1;
      assertThat(id.channelSequence()).as("order of %s", id.channelId()).isEqualTo(expected);
    }
  }

  private static Optional<Flood.EventId> eventId(TopicRecord record) {
    return Flood.EventId.parse(record.json().path("payload"));
  }

  @Test
  void changeIsLoggedOnce(KafkaBroker kafka) {
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        kafka.addPartitions(settings.eventsTopic(), 8);
        assertLogged(log, settings.eventsTopic());
        kafka.addPartitions(settings.commandsTopic(), 8);
        assertLogged(log, settings.commandsTopic());
        // checked again since
        assertLogged(log, settings.eventsTopic());
        assertThat(proxy.health("kafka")).isEqualTo("UP");
      }
    }
  }

  private static void assertLogged(CapturedLog log, String topic) {
    Awaitility.await("added partitions logged")
        .untilAsserted(
            () ->
                assertThat(log.lines(Level.WARN))
                    .filteredOn(
                        line ->
                            line.startsWith("Topic " + topic + " has 8 partitions instead of 4"))
                    .hasSize(1));
  }
}
