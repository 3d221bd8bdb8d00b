// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicRisksTest {

  private static final RequiredTopic EVENTS = new RequiredTopic("events", 12, Map.of(), true);
  private static final RequiredTopic COMMANDS =
      new RequiredTopic("commands", 12, Map.of(), false).uncompressed();

  private final Map<String, TopicDescription> descriptions = new HashMap<>();
  private final Map<String, Config> configs = new HashMap<>();

  @Test
  void replicatedTopicsHaveNoRisk() {
    add("events", 12, 3, "2");
    add("commands", 1, 3, "2");
    assertThat(describe()).isEmpty();
  }

  @Test
  void namesTopicsOfEachRisk() {
    add("events", 1, 1, "1");
    add("commands", 12, 3, "1");
    assertThat(describe())
        .containsExactly(
            "events: one replica, which is lost with its broker",
            "commands: min.insync.replicas=1, so that an acknowledged record can be lost with one"
                + " broker",
            "events: one partition, which only one consumer of a group reads");
  }

  @ParameterizedTest
  @ValueSource(strings = {"producer", "gzip"})
  void namesConsumedTopicsThatAcceptCompressedRecords(String compressionType) {
    add("events", 12, 3, "2", compressionType);
    add("commands", 12, 3, "2", compressionType);
    assertThat(describe())
        .containsExactly("commands: accepts compressed records, of which one can exceed the heap");
  }

  @Test
  void ignoresOptionsThatTheProxyMayNotDescribe() {
    add("events", 12, 3, "1");
    add("commands", 12, 3, "1");
    configs.clear();
    assertThat(describe()).isEmpty();
  }

  @Test
  void ignoresOptionsThatTheBrokerDoesNotReturn() {
    add("events", 12, 3, "1");
    add("commands", 12, 3, "1");
    configs.replaceAll((name, config) -> new Config(List.of()));
    assertThat(describe()).isEmpty();
  }

  private List<String> describe() {
    return TopicRisks.describe(List.of(EVENTS, COMMANDS), descriptions, configs);
  }

  private void add(String name, int partitions, int replicas, String minInSyncReplicas) {
    add(name, partitions, replicas, minInSyncReplicas, "uncompressed");
  }

  private void add(
      String name, int partitions, int replicas, String minInSyncReplicas, String compressionType) {
    List<Node> nodes =
        IntStream.range(0, replicas).mapToObj(id -> new Node(id, "broker", 9092)).toList();
    descriptions.put(
        name,
        new TopicDescription(
            name,
            false,
            IntStream.range(0, partitions)
                .mapToObj(id -> new TopicPartitionInfo(id, nodes.get(0), nodes, nodes))
                .toList()));
    configs.put(
        name,
        new Config(
            List.of(
                new ConfigEntry("min.insync.replicas", minInSyncReplicas),
                new ConfigEntry("compression.type", compressionType))));
  }
}
