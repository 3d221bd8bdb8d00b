// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tests three brokers, of which one becomes leader that lacks records. */
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
      ProxySettings settings = settings(asterisk);
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

  private static ProxySettings settings(SimulatedAsterisk asterisk) {
    return ProxySettings.withExistingTopics(asterisk, APP, controller, "events", "commands")
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
}
