// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests where consumption of commands starts. */
@ExtendWith(KafkaExtension.class)
class CommandStartOffsetsIT {

  private static final String APP = "start-offsets";

  @Test
  void newGroupSkipsOldCommands(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < 5; i++) {
          writer.send(command(settings, "old-" + i, longAgo()));
        }
        writer.send(command(settings, "recent", Instant.now()));
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          controller.response("recent");
          assertThat(MarkerCommand.executed(asterisk)).containsExactly("recent");
          assertThat(skipped(proxy, "old")).isEqualTo(5);
          assertThat(log.lines(Level.WARN))
              .filteredOn(line -> line.contains("skipped 5 commands from before "))
              .singleElement()
              .asString()
              .contains(settings.commandsTopic());
        }

        // the group has offsets now, so that commands wait for the proxy however long
        writer.send(command(settings, "waiting", longAgo()));
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          controller.response("waiting");
          assertThat(MarkerCommand.executed(asterisk)).containsExactly("recent", "waiting");
          assertThat(skipped(proxy, "old")).isZero();
        }
      }
    }
  }

  /**
   * Kafka finds the first record since a time, here the one of a controller whose clock is ahead.
   */
  @Test
  void newGroupSkipsOldCommandsBehindATimestampInTheFuture(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (Controller controller = new Controller(settings, kafka)) {
        writer.send(command(settings, "ahead", Instant.now().plus(Duration.ofMinutes(30))));
        writer.send(command(settings, "old-0", longAgo()));
        writer.send(command(settings, "recent-0", Instant.now()));
        writer.send(command(settings, "old-1", longAgo()));
        writer.send(command(settings, "recent-1", Instant.now()));
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          controller.response("recent-1");
          assertThat(MarkerCommand.executed(asterisk)).containsExactly("recent-0", "recent-1");
          assertThat(skipped(proxy, "old")).isEqualTo(3);
          assertThat(log.lines(Level.WARN))
              .filteredOn(line -> line.contains("skipped 3 commands from before "))
              .hasSize(1);

          // timestamps count only at the start
          writer.send(command(settings, "later", longAgo()));
          controller.response("later");
          assertThat(skipped(proxy, "old")).isEqualTo(3);
        }
      }
    }
  }

  @Test
  void idleGroupExecutesCommandsThatWaitedForItsRestart(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        awaitConsuming(settings, kafka);
      }
      writer.send(command(settings, "waiting", longAgo()));
      try (Controller controller = new Controller(settings, kafka);
          EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        controller.response("waiting");
        assertThat(skipped(proxy, "old")).isZero();
      }
    }
  }

  @Test
  void groupWhoseOffsetsExpireDuringAPauseContinuesWithCommandsSince(KafkaBroker kafka)
      throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.COMMANDS_INITIAL_LOOKBACK, "0s")
              .with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        writer.send(command(settings, "executed", Instant.now()));
        controller.response("executed");
        Awaitility.await("committed")
            .until(
                () -> kafka.committedOffset(settings.commandsTopic(), settings.commandsTopic()),
                committed -> committed == 1);
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        deleteGroup(kafka, settings.commandsTopic());
        writer.send(command(settings, "waiting", Instant.now()));
        commands.invoke("resume");

        controller.response("waiting");
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("executed", "waiting");
      }
    }
  }

  /** The broker removes the member and its commits, such as after it lost the end of its log. */
  @Test
  void commitsLostByTheBrokerRepeatNoCommand(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < 3; i++) {
          writer.send(command(settings, "executed-" + i, Instant.now()));
          controller.response("executed-" + i);
        }
        String group = settings.commandsTopic();
        Awaitility.await("committed")
            .until(() -> kafka.committedOffset(settings.commandsTopic(), group) == 3);
        deleteGroup(kafka, group);
        Awaitility.await("committed again")
            .until(() -> kafka.committedOffset(settings.commandsTopic(), group) == 3);
        writer.send(command(settings, "later", Instant.now()));

        controller.response("later");
        assertThat(MarkerCommand.executed(asterisk))
            .containsExactly("executed-0", "executed-1", "executed-2", "later");
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.startsWith("Kafka lost acknowledged commits"))
            .singleElement()
            .asString()
            .contains("@3");
      }
    }
  }

  /** A commit from before the other consumer's would repeat its commands. */
  @Test
  void commitsLostByTheBrokerRepeatNoCommandOfAnotherConsumer(KafkaBroker kafka) throws Exception {
    String topic = "generic-" + UUID.randomUUID();
    List<TopicPartition> partitions =
        List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
    kafka.createTopic(topic, partitions.size());
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        Admin admin = admin(kafka)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
              .with(Setting.KAFKA_GENERIC_GROUP_ID, topic)
              .with(Setting.COMMANDS_INITIAL_LOOKBACK, "1ms")
              .with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          KafkaConsumer<byte[], byte[]> other = member(kafka, topic)) {
        partitions.forEach(each -> sendUntilExecuted(writer, each, "before", asterisk));
        other.subscribe(List.of(topic));
        Awaitility.await("partition of the other consumer")
            .until(
                () -> {
                  other.poll(Duration.ofMillis(100));
                  return other.assignment().size() == 1;
                });
        TopicPartition moved = other.assignment().iterator().next();
        long end =
            writer
                    .send(
                        new ProducerRecord<>(
                            topic,
                            moved.partition(),
                            longAgo().toEpochMilli(),
                            "call",
                            MarkerCommand.json("call", "of-the-other")))
                    .offset()
                + 1;
        other.commitSync(Map.of(moved, new OffsetAndMetadata(end)));

        // the other consumer does not poll, and so does not join again
        Awaitility.await("group deleted")
            .ignoreException(ExecutionException.class)
            .until(
                () -> {
                  admin
                      .removeMembersFromConsumerGroup(
                          topic, new RemoveMembersFromConsumerGroupOptions())
                      .all()
                      .get();
                  admin.deleteConsumerGroups(List.of(topic)).all().get();
                  return true;
                });

        partitions.forEach(each -> sendUntilExecuted(writer, each, "after", asterisk));
        assertThat(MarkerCommand.executed(asterisk)).doesNotContain("of-the-other");
        assertThat(skipped(proxy, "old")).isPositive();
      }
    }
  }

  private static void sendUntilExecuted(
      TopicWriter writer, TopicPartition partition, String id, SimulatedAsterisk asterisk) {
    String partitionId = id + "-" + partition.partition();
    Awaitility.await(partitionId)
        .until(
            () -> {
              writer.send(generic(partition, partitionId));
              return MarkerCommand.executed(asterisk).contains(partitionId);
            });
  }

  private static KafkaConsumer<byte[], byte[]> member(KafkaBroker kafka, String group) {
    return new KafkaConsumer<>(
        Map.of(
            ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ConsumerConfig.GROUP_ID_CONFIG,
            group,
            ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
            CooperativeStickyAssignor.class.getName(),
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
            false),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
  }

  private static ProducerRecord<String, byte[]> generic(TopicPartition partition, String id) {
    return new ProducerRecord<>(
        partition.topic(), partition.partition(), "call", MarkerCommand.json("call", id));
  }

  @Test
  @FullRun("waits until the metadata are ten seconds old")
  void addedPartitionStartsWithItsFirstCommand(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        int partitions;
        try (Admin admin = admin(kafka)) {
          partitions =
              admin
                  .describeTopics(List.of(settings.commandsTopic()))
                  .allTopicNames()
                  .get()
                  .get(settings.commandsTopic())
                  .partitions()
                  .size();
          admin
              .createPartitions(
                  Map.of(settings.commandsTopic(), NewPartitions.increaseTo(partitions + 1)))
              .all()
              .get();
        }
        long sentNanos = System.nanoTime();
        ProducerRecord<String, byte[]> record =
            new ProducerRecord<>(
                settings.commandsTopic(),
                partitions,
                longAgo().toEpochMilli(),
                "call",
                MarkerCommand.json("call", "added"));
        Awaitility.await("the writer knows the partition")
            .ignoreExceptions()
            .until(() -> writer.send(record).partition() == partitions);

        controller.response("added");

        assertThat(Duration.ofNanos(System.nanoTime() - sentNanos))
            .as("Kafka's default metadata age is 5 minutes")
            .isLessThan(Duration.ofSeconds(60));
        assertThat(skipped(proxy, "old")).isZero();
      }
    }
  }

  @Test
  void reportsCommandsThatKafkaDeletedDuringAPause(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        RecordMetadata firstRetained =
            IntStream.range(0, 10)
                .mapToObj(i -> writer.send(command(settings, "waiting-" + i, Instant.now())))
                .toList()
                .get(7);
        TopicPartition partition =
            new TopicPartition(firstRetained.topic(), firstRetained.partition());
        try (Admin admin = admin(kafka)) {
          admin
              .deleteRecords(
                  Map.of(partition, RecordsToDelete.beforeOffset(firstRetained.offset())))
              .all()
              .get();
        }
        commands.invoke("resume");

        controller.response("waiting-9");
        assertThat(MarkerCommand.executed(asterisk))
            .containsExactly("waiting-7", "waiting-8", "waiting-9");
        assertThat(skipped(proxy, "deleted")).isEqualTo(7);
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.contains("Kafka deleted 7 commands of " + partition))
            .hasSize(1);
      }
    }
  }

  @Test
  void recreatedTopicContinuesWithRecentCommands(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < 10; i++) {
          controller.execute("call", "GET", "/asterisk/ping");
        }
        controller.awaitCommitted();
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        try (Admin admin = admin(kafka)) {
          admin.deleteTopics(List.of(settings.commandsTopic())).all().get();
          Awaitility.await("the topic is deleted")
              .until(() -> !admin.listTopics().names().get().contains(settings.commandsTopic()));
        }
        kafka.createTopic(settings.commandsTopic(), 4);
        try (TopicWriter recreatedWriter = new TopicWriter(kafka.bootstrapServers())) {
          recreatedWriter.send(command(settings, "old", longAgo()));
          recreatedWriter.send(command(settings, "recent", Instant.now()));
        }
        commands.invoke("resume");

        controller.response("recent");
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("recent");
        assertThat(skipped(proxy, "old")).isEqualTo(1);
      }
    }
  }

  /**
   * Kafka's consumer does not notice, and continues at its offset. If the topic has a partition
   * more, only that one is assigned, since the assignor of generic commands is cooperative.
   */
  @ParameterizedTest
  @FullRun("waits for the check of topics; OffsetTrackerTest forgets progress")
  @ValueSource(ints = {0, 1})
  void topicRecreatedUnnoticedIsConsumedFromItsFirstCommand(int added, KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog();
        TopicWriter before = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String topic = settings.commandsTopic() + "-generic";
      settings
          .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
          .with(Setting.KAFKA_GENERIC_GROUP_ID, topic);
      List<String> ids = IntStream.range(0, 5).mapToObj(i -> "new-" + i).toList();
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < 3; i++) {
          before.send(generic(topic, "earlier-" + i));
        }
        Awaitility.await("committed").until(() -> kafka.committedOffset(topic, topic) == 3);
        int partitions = kafka.partitionCount(topic);

        kafka.deleteTopic(topic);
        kafka.createTopic(topic, partitions + added);
        try (TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
          ids.forEach(id -> writer.send(generic(topic, id)));
        }

        ids.forEach(controller::response);
        assertThat(MarkerCommand.executed(asterisk))
            .filteredOn(ids::contains)
            .containsExactlyInAnyOrderElementsOf(ids);
        Awaitility.await("logged")
            .until(
                () ->
                    log.lines(Level.WARN).stream()
                        .anyMatch(
                            line ->
                                line.startsWith(
                                    "Topic " + topic + " was deleted and created again")));
        Awaitility.await("its options are checked again")
            .until(
                () ->
                    log.lines(Level.WARN).stream()
                        .anyMatch(line -> line.contains(topic + ": accepts compressed records")));
        Awaitility.await("committed in the new topic")
            .until(() -> kafka.committedOffset(topic, topic) == 5);
      }
    }
  }

  private static ProducerRecord<String, byte[]> generic(String topic, String id) {
    return new ProducerRecord<>(topic, 0, "call", MarkerCommand.json("call", id));
  }

  /** Waits until the group has committed its start: before the assignment, the lag is 0 too. */
  private static void awaitConsuming(ProxySettings settings, KafkaBroker kafka) {
    try (Admin admin = admin(kafka)) {
      Awaitility.await("start of commands is committed")
          .until(
              () ->
                  !admin
                      .listConsumerGroupOffsets(settings.commandsTopic())
                      .partitionsToOffsetAndMetadata()
                      .get()
                      .isEmpty());
    }
  }

  private static double skipped(EmbeddedProxy proxy, String reason) {
    return proxy.counter("ari-proxy.commands.skipped", "reason", reason);
  }

  private static ProducerRecord<String, byte[]> command(
      ProxySettings settings, String id, Instant timestamp) {
    return new ProducerRecord<>(
        settings.commandsTopic(),
        null,
        timestamp.toEpochMilli(),
        "call",
        MarkerCommand.json("call", id));
  }

  /** Before {@code commands.initial-lookback}, which counts from the start of this JVM. */
  private static Instant longAgo() {
    return Instant.now().minus(Duration.ofHours(3));
  }

  /** Removes the proxy from its group, and deletes it with its commits. */
  private static void deleteGroup(KafkaBroker kafka, String group) throws Exception {
    try (Admin admin = admin(kafka)) {
      admin
          .removeMembersFromConsumerGroup(
              group, new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove(group))))
          .all()
          .get();
      admin.deleteConsumerGroups(List.of(group)).all().get();
    }
  }

  private static Admin admin(KafkaBroker kafka) {
    return Admin.create(
        Map.<String, Object>of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()));
  }
}
