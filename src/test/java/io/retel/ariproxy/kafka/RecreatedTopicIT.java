// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What {@link KafkaTopics} does after a topic was created again, on a real broker. */
class RecreatedTopicIT {

  private static final int PARTITIONS = 4;

  private static KafkaBroker kafka;

  private final AtomicInteger attempts = new AtomicInteger();
  private final KafkaTopics topics = topics(true);

  @BeforeAll
  static void launch() {
    kafka = KafkaBroker.launch();
  }

  @AfterAll
  static void close() {
    kafka.close();
  }

  @Test
  void repeatsFailedActionOnceItsPartitionsAreBack() throws Exception {
    List<Integer> partitions = new ArrayList<>();
    topics.require(List.of("events"));
    topics.onTopicRecreated(
        (topic, id) -> {
          partitions.add(kafka.partitionCount(topic));
          failFirst();
        });
    topics.ensure();
    recreate("events");

    assertThatThrownBy(topics::ensure).hasMessage("test");
    topics.ensure();
    topics.ensure();
    assertThat(partitions).containsExactly(PARTITIONS, PARTITIONS);
  }

  @Test
  void repeatsFailedActionOfCompactedTopic() throws Exception {
    topics.requireCompacted("store");
    topics.onCompactedTopicRecreated(this::failFirst);
    topics.ensure();
    recreate("store");

    assertThatThrownBy(topics::ensure).hasMessage("test");
    topics.ensure();
    topics.ensure();
    assertThat(attempts).hasValue(2);
  }

  @Test
  void waitsUntilTheBrokerThatDescribesKnowsTheCreatedTopic() throws Exception {
    topics.require(List.of("new"));
    try (Admin admin = topics.createAdmin()) {
      assertThat(topics.ensure(lateAfterCreation(admin))).containsOnlyKeys("new");
    }
    assertThat(attempts).hasValue(3);
  }

  /** As a broker whose metadata lags: describes a created topic only at the third attempt. */
  private Admin lateAfterCreation(Admin admin) {
    AtomicBoolean created = new AtomicBoolean();
    return (Admin)
        Proxy.newProxyInstance(
            Admin.class.getClassLoader(),
            new Class<?>[] {Admin.class},
            (proxy, method, args) -> {
              if (method.getName().equals("createTopics")) {
                created.set(true);
              }
              if (method.getName().equals("describeTopics")
                  && created.get()
                  && attempts.incrementAndGet() < 3) {
                return admin.describeTopics(List.of("absent"));
              }
              return method.invoke(admin, args);
            });
  }

  @Test
  void comparesOtherTopicsWhilePartitionsCannotBeAdded() throws Exception {
    List<String> recreated = new ArrayList<>();
    kafka.createTopic("smaller", 2);
    kafka.createTopic("other", 1);
    KafkaTopics unmanaged = topics(false).require(List.of("smaller", "other"));
    unmanaged.onTopicRecreated((topic, id) -> recreated.add(topic));
    unmanaged.ensure();
    recreate("smaller");
    recreate("other");

    assertThatThrownBy(unmanaged::ensure)
        .hasMessageContaining("Topic smaller has 1 partitions instead of 2")
        .hasMessageContaining("kafka.create-topics is false");
    assertThat(recreated)
        .as("with the partitions that they have")
        .containsExactly("smaller", "other");

    kafka.addPartitions("smaller", 2);
    unmanaged.ensure();
    assertThat(recreated).as("once each").containsExactly("smaller", "other");
  }

  private static KafkaTopics topics(boolean createMissing) {
    return new KafkaTopics(
        () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
        new KafkaTopics.NewTopics(createMissing, PARTITIONS, 1),
        new KafkaPermissions(() -> "proxy", List.of(), List.of(), List.of()),
        DefaultTimeout.DURATION);
  }

  private void failFirst() {
    if (attempts.incrementAndGet() == 1) {
      throw new IllegalStateException("test");
    }
  }

  /** As a broker with automatic creation does. */
  private static void recreate(String topic) {
    kafka.deleteTopic(topic);
    kafka.createTopic(topic, 1);
  }
}
