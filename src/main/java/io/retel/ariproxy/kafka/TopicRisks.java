// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs topics whose configuration can lose records or call contexts, or end the proxy. */
final class TopicRisks {

  private static final Logger LOG = LoggerFactory.getLogger(TopicRisks.class);

  private TopicRisks() {}

  /**
   * Logs one line about partitions, replicas and compression, and one for a topic that must be
   * compacted.
   *
   * @param brokers for the command that corrects it
   */
  static void log(
      Admin admin,
      Collection<RequiredTopic> topics,
      Map<String, TopicDescription> descriptions,
      String brokers)
      throws InterruptedException {
    Map<String, Config> configs = configs(admin, topics);
    topics.stream()
        .filter(topic -> topic.isCompacted() && isNotCompacted(configs.get(topic.name())))
        .forEach(
            topic ->
                LOG.error(
                    "Topic {} is not compacted: Kafka will delete call contexts of active calls."
                        + " Fix: kafka-configs.sh --bootstrap-server {} --alter --topic {}"
                        + " --add-config cleanup.policy=compact",
                    topic.name(),
                    brokers,
                    topic.name()));
    List<String> risks = describe(topics, descriptions, configs);
    if (!risks.isEmpty()) {
      LOG.warn("Topics at risk: {} (docs/deploy.md#topics)", String.join("; ", risks));
    }
  }

  /** Describes each risk with its topics. */
  static List<String> describe(
      Collection<RequiredTopic> topics,
      Map<String, TopicDescription> descriptions,
      Map<String, Config> configs) {
    List<String> risks = new ArrayList<>();
    add(
        risks,
        "one replica, which is lost with its broker",
        topics,
        topic -> replicas(described(topic, descriptions)) == 1);
    add(
        risks,
        "min.insync.replicas=1, so that an acknowledged record can be lost with one broker",
        topics,
        topic ->
            replicas(described(topic, descriptions)) > 1
                && "1".equals(value(configs, topic, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG)));
    add(
        risks,
        "one partition, which only one consumer of a group reads",
        topics,
        topic -> topic.shared() && described(topic, descriptions).partitions().size() == 1);
    add(
        risks,
        "accepts compressed records, of which one can exceed the heap",
        topics,
        topic -> topic.isUncompressed() && storesCompressed(configs.get(topic.name())));
    return risks;
  }

  private static void add(
      List<String> risks,
      String risk,
      Collection<RequiredTopic> topics,
      Predicate<RequiredTopic> condition) {
    String names =
        topics.stream()
            .filter(condition)
            .map(RequiredTopic::name)
            .collect(Collectors.joining(", "));
    if (!names.isEmpty()) {
      risks.add(names + ": " + risk);
    }
  }

  private static TopicDescription described(
      RequiredTopic topic, Map<String, TopicDescription> descriptions) {
    return Objects.requireNonNull(descriptions.get(topic.name()));
  }

  private static int replicas(TopicDescription description) {
    return description.partitions().stream()
        .mapToInt(partition -> partition.replicas().size())
        .min()
        .orElse(0);
  }

  private static String value(Map<String, Config> configs, RequiredTopic topic, String option) {
    return value(configs.get(topic.name()), option);
  }

  /** Returns the value of an option; empty if it cannot be read. */
  private static String value(@Nullable Config config, String option) {
    ConfigEntry entry = config == null ? null : config.get(option);
    return entry == null || entry.value() == null ? "" : entry.value();
  }

  private static boolean storesCompressed(@Nullable Config config) {
    String type = value(config, TopicConfig.COMPRESSION_TYPE_CONFIG);
    return !type.isEmpty() && !type.equals(RequiredTopic.UNCOMPRESSED);
  }

  private static boolean isNotCompacted(@Nullable Config config) {
    String policy = value(config, TopicConfig.CLEANUP_POLICY_CONFIG);
    return !policy.isEmpty() && !policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT);
  }

  /** Returns the configuration of the topics that the proxy has the permission to describe. */
  private static Map<String, Config> configs(Admin admin, Collection<RequiredTopic> topics)
      throws InterruptedException {
    Map<ConfigResource, KafkaFuture<Config>> futures =
        admin.describeConfigs(topics.stream().map(TopicRisks::resource).toList()).values();
    Map<String, Config> configs = new HashMap<>();
    for (RequiredTopic topic : topics) {
      try {
        Config config = Objects.requireNonNull(futures.get(resource(topic))).get();
        configs.put(topic.name(), config);
        // a service compatible with Kafka can leave it out
        if (value(config, TopicConfig.CLEANUP_POLICY_CONFIG).isEmpty()) {
          logUnverified(topic, "Kafka does not return cleanup.policy");
        }
      } catch (ExecutionException e) {
        logUnverified(topic, ErrorMessages.singleLine(e));
      }
    }
    return configs;
  }

  private static void logUnverified(RequiredTopic topic, String reason) {
    if (topic.isCompacted()) {
      LOG.warn("Cannot verify that topic {} is compacted (required): {}", topic.name(), reason);
    }
  }

  private static ConfigResource resource(RequiredTopic topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
  }
}
