// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The topics that the proxy requires; creates missing ones. */
public final class KafkaTopics {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaTopics.class);

  /**
   * Small segments are compacted early, which keeps startup fast: a compacted topic is read from
   * its beginning.
   */
  private static final Map<String, String> COMPACTED =
      Map.of(
          TopicConfig.CLEANUP_POLICY_CONFIG,
          TopicConfig.CLEANUP_POLICY_COMPACT,
          TopicConfig.SEGMENT_BYTES_CONFIG,
          Integer.toString(16 * 1024 * 1024));

  private final Supplier<Map<String, Object>> clientConfig;
  private final boolean mayCreate;
  private final Duration timeout;
  private final List<NewTopic> required = new ArrayList<>();

  /**
   * Thrown when a topic is missing or Kafka cannot describe it; the message includes the remedy.
   */
  public static final class TopicsUnavailableException extends Exception {

    private static final long serialVersionUID = 1L;

    TopicsUnavailableException(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * @param clientConfig address and login of Kafka; queried for each new client
   * @param mayCreate whether missing topics are created
   * @param timeout for Kafka to respond
   */
  public KafkaTopics(
      Supplier<Map<String, Object>> clientConfig, boolean mayCreate, Duration timeout) {
    this.clientConfig = clientConfig;
    this.mayCreate = mayCreate;
    this.timeout = timeout;
  }

  /** Requires topics, created with the broker's defaults. */
  public KafkaTopics require(List<String> topics) {
    topics.forEach(topic -> required.add(new NewTopic(topic, Optional.empty(), Optional.empty())));
    return this;
  }

  /** Requires a compacted topic with one partition, for one writer. */
  public KafkaTopics requireCompacted(String topic) {
    required.add(new NewTopic(topic, Optional.of(1), Optional.empty()).configs(COMPACTED));
    return this;
  }

  /**
   * Creates missing topics.
   *
   * @throws TopicsUnavailableException if a topic is missing and cannot be created, or Kafka does
   *     not respond
   */
  public void createMissing() throws TopicsUnavailableException, InterruptedException {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    try (Admin admin = Admin.create(config)) {
      List<NewTopic> missing = missing(admin);
      if (!missing.isEmpty()) {
        if (!mayCreate) {
          throw unavailable(missing, "kafka.create-topics is false");
        }
        createTopics(admin, missing);
        awaitLeaders(admin, missing);
      }
      warnIfNotCompacted(admin);
    } catch (ExecutionException | KafkaException e) {
      throw new TopicsUnavailableException(
          "Kafka at "
              + brokers()
              + ": cannot describe topics "
              + required.stream().map(NewTopic::name).collect(Collectors.joining(", "))
              + ": "
              + KafkaErrors.describe(e));
    }
  }

  private List<NewTopic> missing(Admin admin) throws ExecutionException, InterruptedException {
    Map<String, ? extends KafkaFuture<?>> described =
        admin.describeTopics(required.stream().map(NewTopic::name).toList()).topicNameValues();
    List<NewTopic> missing = new ArrayList<>();
    for (NewTopic topic : required) {
      try {
        Objects.requireNonNull(described.get(topic.name())).get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
        missing.add(topic);
      }
    }
    return missing;
  }

  private void createTopics(Admin admin, List<NewTopic> missing)
      throws TopicsUnavailableException, InterruptedException {
    Map<String, KafkaFuture<Void>> results = admin.createTopics(missing).values();
    for (NewTopic topic : missing) {
      try {
        Objects.requireNonNull(results.get(topic.name())).get();
        LOG.info("Topic created: {}", topic.name());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw unavailable(List.of(topic), "creating it failed: " + ErrorMessages.singleLine(e));
        }
      }
    }
  }

  /**
   * Waits until the new partitions accept writes.
   *
   * <p>Otherwise the broker can reject a producer's first batch and accept the next; it then
   * rejects the first permanently because of its sequence number (seen on 4.1.1).
   */
  private void awaitLeaders(Admin admin, List<NewTopic> created)
      throws ExecutionException, InterruptedException {
    List<String> names = created.stream().map(NewTopic::name).toList();
    Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        admin.describeTopics(names).topicNameValues().entrySet()) {
      topic
          .getValue()
          .get()
          .partitions()
          .forEach(
              partition ->
                  partitions.put(
                      new TopicPartition(topic.getKey(), partition.partition()),
                      OffsetSpec.latest()));
    }
    // only a ready leader responds; the client retries until then
    admin.listOffsets(partitions).all().get();
  }

  private TopicsUnavailableException unavailable(List<NewTopic> missing, String reason) {
    String names = missing.stream().map(NewTopic::name).collect(Collectors.joining(", "));
    String commands = missing.stream().map(this::createCommand).collect(Collectors.joining(" && "));
    return new TopicsUnavailableException(
        "Kafka has no topic " + names + ": " + reason + ". Create it: " + commands);
  }

  private String brokers() {
    return String.valueOf(clientConfig.get().get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG));
  }

  private String createCommand(NewTopic topic) {
    StringBuilder command =
        new StringBuilder("kafka-topics.sh --bootstrap-server ")
            .append(brokers())
            .append(" --create --topic ")
            .append(topic.name());
    if (topic.configs() != null) {
      command.append(" --partitions 1");
      topic
          .configs()
          .forEach((key, value) -> command.append(" --config ").append(key + "=" + value));
    }
    return command.toString();
  }

  /**
   * Checks the cleanup policy: without compaction, Kafka deletes old records and thus call
   * contexts.
   */
  private void warnIfNotCompacted(Admin admin) throws InterruptedException {
    for (NewTopic topic : required) {
      if (topic.configs() == null) {
        continue;
      }
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
      try {
        Config config =
            Objects.requireNonNull(
                admin.describeConfigs(List.of(resource)).all().get().get(resource));
        if (!config
            .get(TopicConfig.CLEANUP_POLICY_CONFIG)
            .value()
            .contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
          LOG.error(
              "Topic {} is not compacted: Kafka will delete call contexts of active calls. Fix:"
                  + " kafka-configs.sh --bootstrap-server {} --alter --topic {}"
                  + " --add-config cleanup.policy=compact",
              topic.name(),
              brokers(),
              topic.name());
        }
      } catch (ExecutionException e) {
        // requires the permission DescribeConfigs
        LOG.warn(
            "Cannot verify that topic {} is compacted (required): {}",
            topic.name(),
            ErrorMessages.singleLine(e));
      }
    }
  }
}
