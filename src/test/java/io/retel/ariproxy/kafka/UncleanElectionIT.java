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
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tests three brokers, of which one becomes leader that lacks records or has another topic. */
@Tag(FullRun.ON_DEMAND)
@FullRun("starts three brokers")
class UncleanElectionIT {

  private static final String APP = "unclean";
  private static final Map<String, String> UNCLEAN =
      Map.of("unclean.leader.election.enable", "true", "min.insync.replicas", "1");

  private static KafkaBroker controller;
  private static KafkaBroker first;
  private static KafkaBroker second;

  @BeforeAll
  static void launch() {
    controller =
        KafkaBroker.launch(
            Map.of(
                "auto.create.topics.enable",
                "false",
                // a stopped broker leaves its partitions after it
                "broker.session.timeout.ms",
                "6000"));
    // creates the topic of committed offsets, on the broker that stays
    controller.committedOffset("group", "topic");
    first = controller.launchReplica();
    second = controller.launchReplica();
  }

  @AfterAll
  static void close() {
    second.close();
    first.close();
    controller.close();
  }

  @BeforeEach
  void start() {
    first.start();
    second.start();
  }

  @Test
  void executesEachCommandOnceAfterLostOnes() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(controller.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = settings(asterisk, "commands");
      String topic = settings.commandsTopic();
      controller.createTopic(settings.eventsTopic(), List.of(controller), Map.of());
      controller.createTopic(topic, List.of(first, second), UNCLEAN);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller client = new Controller(settings, controller)) {
        execute(settings, writer, client, "replicated");
        awaitReplication(topic);
        second.stop();
        execute(settings, writer, client, "lost-1");
        execute(settings, writer, client, "lost-2");
        Awaitility.await("committed").until(() -> controller.committedOffset(topic, topic) == 3);

        electSecond(topic);
        Awaitility.await("the loss is found")
            .until(
                () ->
                    log.lines(Level.WARN).stream()
                        .anyMatch(line -> line.contains("continuing at offset 1 instead of 3")));
        execute(settings, writer, client, "new-1");
        execute(settings, writer, client, "new-2");
        first.start();
        awaitReplication(topic);
        execute(settings, writer, client, "new-3");

        assertThat(MarkerCommand.executed(asterisk))
            .containsExactly("replicated", "lost-1", "lost-2", "new-1", "new-2", "new-3");
        Awaitility.await().until(() -> controller.committedOffset(topic, topic) == 4);
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
        assertThat(proxy.health("commands")).isEqualTo("UP");
      }
    }
  }

  /** The new leader has older sequence numbers of the producer than its records in flight. */
  @Test
  void publishesEventsInFlightInOrder() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = settings(asterisk, "events");
      String topic = settings.eventsTopic();
      controller.createTopic(settings.commandsTopic(), List.of(controller), Map.of());
      controller.createTopic(topic, List.of(first, second), UNCLEAN);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, 20);
        awaitRecords(topic, 200);
        awaitReplication(topic);
        second.stop();
        awaitRecords(topic, controller.recordCount(topic) + 200);

        electSecond(topic);
        flood.awaitMore(200).stop();
        awaitAcknowledged(proxy);
        first.start();
        awaitReplication(topic);

        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
        try (Controller client = new Controller(settings, controller)) {
          assertLostOnceInOrder(flood, client.events((int) controller.recordCount(topic)));
        }
      }
    }
  }

  /** Its partition starts with a leader epoch below the last one. */
  @Test
  void usesTopicThatIsCreatedAgainOnAnotherBroker() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(controller.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings =
          settings(asterisk, "recreated").with(Setting.KAFKA_CREATE_TOPICS, "false");
      List<String> topics = List.of(settings.eventsTopic(), settings.commandsTopic());
      controller.createTopic(settings.unmappedTopic(), List.of(controller), Map.of());
      topics.forEach(topic -> controller.createTopic(topic, List.of(first), Map.of()));
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 100, 20);
        // each restart increments the leader epoch
        for (int i = 0; i < 2; i++) {
          first.stop();
          first.start();
          awaitLeader(first, settings.eventsTopic());
          awaitRecords(settings.eventsTopic(), controller.recordCount(settings.eventsTopic()) + 50);
        }
        try (Controller client = new Controller(settings, controller)) {
          execute(settings, writer, client, "before");
        }

        topics.forEach(controller::deleteTopic);
        topics.forEach(topic -> controller.createTopic(topic, List.of(second), Map.of()));

        for (String topic : topics) {
          Awaitility.await("recreation of " + topic + " is logged")
              .until(
                  () ->
                      log.lines(Level.WARN).stream()
                          .anyMatch(
                              line ->
                                  line.startsWith(
                                      "Topic " + topic + " was deleted and created again")));
        }
        flood.awaitMore(100).stop();
        awaitAcknowledged(proxy);
        try (TopicWriter next = new TopicWriter(controller.bootstrapServers());
            Controller client = new Controller(settings, controller)) {
          execute(settings, next, client, "after");
        }
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("before", "after");
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
        assertThat(proxy.health("commands")).isEqualTo("UP");
      }
    }
  }

  private static ProxySettings settings(SimulatedAsterisk asterisk, String name) {
    return ProxySettings.withExistingTopics(
            asterisk, APP, controller, name + "-of-events", name + "-of-commands")
        .with(Setting.CALLCONTEXT_STORE, "memory");
  }

  private static void execute(
      ProxySettings settings, TopicWriter writer, Controller client, String id) {
    writer.send(settings.commandsTopic(), "call", MarkerCommand.json("call", id));
    client.response(id).assertStatus(200);
  }

  /** Makes the broker leader that lacks the last records. */
  private static void electSecond(String topic) {
    first.stop();
    second.start();
    awaitLeader(second, topic);
  }

  private static void awaitLeader(KafkaBroker broker, String topic) {
    Awaitility.await("leader of " + topic).until(() -> controller.isLeader(broker, topic));
  }

  private static void awaitReplication(String topic) {
    Awaitility.await("replicas of " + topic).until(() -> controller.inSyncCount(topic) == 2);
  }

  private static void awaitRecords(String topic, long count) {
    Awaitility.await("records of " + topic).until(() -> controller.recordCount(topic) >= count);
  }

  private static void awaitAcknowledged(EmbeddedProxy proxy) {
    Awaitility.await("all acknowledged")
        .until(
            () ->
                proxy.gauge("ari-proxy.websocket.buffer.bytes") == 0
                    && proxy.gauge("ari-proxy.kafka.in-flight.bytes") == 0);
  }

  /** Asserts that the events of each call are those that were sent, without one range. */
  private static void assertLostOnceInOrder(Flood flood, List<EventEnvelope> published) {
    Map<String, List<Long>> byChannel = new TreeMap<>();
    published.stream()
        .flatMap(event -> Flood.EventId.parse(event.payload()).stream())
        .forEach(
            id ->
                byChannel
                    .computeIfAbsent(id.channelId(), channel -> new ArrayList<>())
                    .add(id.channelSequence()));
    assertThat(byChannel).hasSize(20);
    byChannel.forEach(
        (channel, numbers) -> {
          assertThat(numbers).as(channel).doesNotHaveDuplicates().isSorted().startsWith(0L);
          assertThat(numbers.get(numbers.size() - 1)).isGreaterThanOrEqualTo(flood.sent() / 20 - 1);
          assertThat(
                  IntStream.range(1, numbers.size())
                      .filter(i -> numbers.get(i) != numbers.get(i - 1) + 1)
                      .count())
              .as("ranges lost of " + channel)
              .isOne();
        });
  }
}
