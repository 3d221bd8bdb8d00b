// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.TopicConfig;

/**
 * A topic that the proxy requires, and how it is created.
 *
 * @param partitions of a new topic
 * @param configs of a new topic, in addition to those that depend on its replicas
 * @param shared whether several consumers share its partitions
 */
record RequiredTopic(String name, int partitions, Map<String, String> configs, boolean shared) {

  /** Replicas from which on one of them can fail without stopping writes or losing records. */
  private static final int REPLICAS_FOR_MIN_IN_SYNC = 3;

  private static final String MIN_IN_SYNC_REPLICAS = "2";

  /** The value of {@code compression.type} with which Kafka decompresses records. */
  static final String UNCOMPRESSED = "uncompressed";

  boolean isCompacted() {
    return TopicConfig.CLEANUP_POLICY_COMPACT.equals(
        configs.get(TopicConfig.CLEANUP_POLICY_CONFIG));
  }

  /** Returns whether Kafka must not store compressed records. */
  boolean isUncompressed() {
    return UNCOMPRESSED.equals(configs.get(TopicConfig.COMPRESSION_TYPE_CONFIG));
  }

  /** Returns the same topic, in which Kafka must not store compressed records. */
  RequiredTopic uncompressed() {
    Map<String, String> all = new HashMap<>(configs);
    all.put(TopicConfig.COMPRESSION_TYPE_CONFIG, UNCOMPRESSED);
    return new RequiredTopic(name, partitions, Map.copyOf(all), shared);
  }

  /** Returns the same topic with another number of partitions. */
  RequiredTopic withPartitions(int newPartitions) {
    return new RequiredTopic(name, newPartitions, configs, shared);
  }

  /** Returns the topic to create. */
  NewTopic withReplicas(int replicas) {
    return new NewTopic(name, partitions, (short) replicas).configs(configsWithReplicas(replicas));
  }

  /** Returns the command that creates the topic. */
  String createCommand(String brokers, int replicas) {
    StringBuilder command =
        new StringBuilder("kafka-topics.sh --bootstrap-server ")
            .append(brokers)
            .append(" --create --topic ")
            .append(name)
            .append(" --partitions ")
            .append(partitions)
            .append(" --replication-factor ")
            .append(replicas);
    configsWithReplicas(replicas)
        .forEach((key, value) -> command.append(" --config ").append(key + "=" + value));
    return command.toString();
  }

  private Map<String, String> configsWithReplicas(int replicas) {
    Map<String, String> all = new HashMap<>(configs);
    if (replicas >= REPLICAS_FOR_MIN_IN_SYNC) {
      all.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, MIN_IN_SYNC_REPLICAS);
    }
    return all;
  }
}
