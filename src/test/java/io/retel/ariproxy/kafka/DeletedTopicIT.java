// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the deletion of each topic while the proxy runs. */
class DeletedTopicIT {

  private static final String APP = "deleted-topic";

  /** The number of partitions of the events topic in these tests. */
  private static final int PARTITIONS = 4;

  @AutoClose private static final Closer closer = new Closer();

  /** by whether it creates topics automatically */
  private static final Map<Boolean, KafkaBroker> brokers = new HashMap<>();

  /** With automatic creation, the proxy's producer makes the broker create one partition. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eventsTopicIsCreatedAgainWithItsPartitions(boolean autoCreate) {
    KafkaBroker kafka = broker(autoCreate);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String topic = settings.eventsTopic();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        Awaitility.await("start published").until(() -> kafka.recordCount(topic) > 0);
        awaitAcknowledged(proxy);

        kafka.deleteTopic(topic);
        call.dtmf("1");

        assertLoggedRecreation(log, topic);
        Awaitility.await("partitions as before")
            .until(() -> kafka.partitionCount(topic) == PARTITIONS);
        awaitAcknowledged(proxy);
        call.dtmf("2");
        awaitAcknowledged(proxy);
        try (Controller controller = new Controller(settings, kafka)) {
          for (String digit : List.of("1", "2")) {
            controller.event(
                "call",
                "CHANNEL_DTMF_RECEIVED",
                event -> event.payload().path("digit").asText().equals(digit));
          }
        }
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    }
  }

  /** With several batches in flight, Kafka can reject one permanently. */
  @ParameterizedTest
  @FullRun("load; RecoveringProducerIT replaces a producer without it")
  @ValueSource(booleans = {false, true})
  void noBatchIsStuckAfterTheEventsTopicIsCreatedAgain(boolean autoCreate) {
    KafkaBroker kafka = broker(autoCreate);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String topic = settings.eventsTopic();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 300, 40);
        Awaitility.await("published").until(() -> kafka.recordCount(topic) > 200);
        kafka.deleteTopic(topic);
        assertLoggedRecreation(log, topic);
        Awaitility.await("producer replaced")
            .until(() -> proxy.counter("ari-proxy.kafka.producers.replaced") > 0);
        flood.stop();
        awaitAcknowledged(proxy);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    }
  }

  private static void awaitAcknowledged(EmbeddedProxy proxy) {
    Awaitility.await("all acknowledged")
        .until(
            () ->
                proxy.gauge("ari-proxy.websocket.buffer.bytes") == 0
                    && proxy.gauge("ari-proxy.kafka.in-flight.bytes") == 0);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void storeTopicIsCompactedAndWrittenAgain(boolean autoCreate) {
    KafkaBroker kafka = broker(autoCreate);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String topic = settings.commandsTopic() + "-call-contexts";
      try (Controller controller = new Controller(settings, kafka)) {
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          controller.execute("before", "POST", "/bridges/b1").assertStatus(200);

          kafka.deleteTopic(topic);
          // with automatic creation this one creates the topic, without compaction
          controller.execute("during", "POST", "/bridges/b2");

          assertLoggedRecreation(log, topic);
          Awaitility.await("compacted")
              .until(() -> kafka.topicConfig(topic, "cleanup.policy").equals("compact"));
          assertThat(kafka.topicConfig(topic, "segment.bytes")).isEqualTo("16777216");
          assertThat(kafka.topicConfig(topic, "compression.type")).isEqualTo("uncompressed");
          Awaitility.await("written again")
              .until(
                  () ->
                      kafka.recordCount(topic) > 0
                          && proxy.gauge("ari-proxy.persistence.pending") == 0);
        }
        try (EmbeddedProxy next = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          controller.event("before", "ARI_CONNECTION_RESTORED");
          assertThat(next.counter("ari-proxy.events.unmapped")).isZero();
        }
      }
    }
  }

  @Test
  @FullRun("waits for the metadata of the consumers")
  void commandsAndUnmappedEventsTopicsAreCreatedAgain() {
    KafkaBroker kafka = broker(false);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, "generic");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

        kafka.deleteTopic(settings.commandsTopic());
        kafka.deleteTopic("generic");
        kafka.deleteTopic(settings.unmappedTopic());
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "later"));

        controller.event("later", "STASIS_START");
        for (String topic :
            List.of(settings.commandsTopic(), "generic", settings.unmappedTopic())) {
          assertLoggedRecreation(log, topic);
        }
        assertThat(kafka.partitionCount(settings.commandsTopic())).isEqualTo(4);
        assertThat(kafka.partitionCount(settings.unmappedTopic())).isOne();
        assertThat(kafka.partitionCount("generic")).isEqualTo(12);
        // the broker can acknowledge the first one in the deleted topic
        Awaitility.await("an unmapped event is published")
            .until(
                () -> {
                  asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
                  return kafka.recordCount(settings.unmappedTopic()) > 0;
                });
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    }
  }

  @Test
  @FullRun("waits for the final commit; OffsetTrackerTest forgets progress in deleted topics")
  void commandAtTheOffsetOfOneThatCouldNotBeCommittedIsExecuted() {
    KafkaBroker kafka = broker(false);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settingsWithoutCreation(asterisk, kafka);
      String topic = settings.commandsTopic();
      int partitions = kafka.partitionCount(topic);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        Fault held = asterisk.faults().holdResponses(request -> request.uri().contains("/logging"));
        String running = controller.send("call", "GET", "/asterisk/logging");
        held.awaitHits(1);
        kafka.deleteTopic(topic);
        held.clear();
        controller.response(running);
        Awaitility.await("partitions revoked without a commit")
            .until(
                () ->
                    log.lines(Level.WARN).stream()
                        .anyMatch(line -> line.startsWith("Final commit of [" + topic)));

        kafka.createTopic(topic, partitions);

        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(asterisk.requestCount("GET", "/asterisk/logging")).isOne();
      }
    }
  }

  @Test
  @FullRun("waits for checks; KafkaStartupIT logs the command at startup")
  void missingTopicIsReportedWithItsCommandIfTheProxyMayNotCreateIt() {
    KafkaBroker kafka = broker(false);
    try (CapturedLog log = new CapturedLog();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settingsWithoutCreation(asterisk, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
      String topic = settings.eventsTopic();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        Awaitility.await("healthy").until(() -> proxy.health("kafka").equals("UP"));

        kafka.deleteTopic(topic);

        String error =
            "Kafka has no topic "
                + topic
                + ": kafka.create-topics is false. Create it: kafka-topics.sh --bootstrap-server "
                + kafka.bootstrapServers()
                + " --create --topic "
                + topic
                + " --partitions 4 --replication-factor 1";
        Awaitility.await("health names the topic")
            .until(() -> proxy.health("kafka").equals("DOWN: " + error));
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));

        kafka.createTopic(topic, PARTITIONS);

        try (Controller controller = new Controller(settings, kafka)) {
          controller.event("call", "STASIS_START");
        }
        Awaitility.await("healthy again").until(() -> proxy.health("kafka").equals("UP"));
        assertThat(log.lines(Level.ERROR)).filteredOn(error::equals).hasSize(1);
        assertThat(log.lines(Level.INFO))
            .filteredOn(line -> line.startsWith("All topics can be used again after "))
            .hasSize(1);
        assertLoggedRecreation(log, topic);
      }
    }
  }

  private static void assertLoggedRecreation(CapturedLog log, String topic) {
    Awaitility.await("recreation of " + topic + " logged")
        .untilAsserted(
            () ->
                assertThat(log.lines(Level.WARN))
                    .filteredOn(
                        line ->
                            line.startsWith("Topic " + topic + " was deleted and created again"))
                    .hasSize(1));
  }

  /** Returns the broker that all tests share, launched by the first call. */
  private static KafkaBroker broker(boolean autoCreate) {
    return brokers.computeIfAbsent(
        autoCreate,
        key ->
            closer.register(
                KafkaBroker.launch(Map.of("auto.create.topics.enable", key.toString()))));
  }

  private static ProxySettings settingsWithoutCreation(
      SimulatedAsterisk asterisk, KafkaBroker kafka) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.KAFKA_CREATE_TOPICS, "false")
        .with(Setting.CALLCONTEXT_STORE, "memory");
  }
}
