package io.retel.ariproxy.kafka;

import io.retel.ariproxy.ErrorMessages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees to it that the proxy's topics are there. */
public final class KafkaTopics {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaTopics.class);

  /** A compacted log is read from its beginning at each start: its segments are soon compacted. */
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

  /** A topic is not there, or Kafka does not say; the message says what to do. */
  public static final class TopicsUnavailableException extends Exception {

    private static final long serialVersionUID = 1L;

    TopicsUnavailableException(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * @param connection where Kafka is, and how to log in; asked when a client is made
   * @param create whether a topic that is not there is created
   * @param timeout how long Kafka may take to answer
   */
  public KafkaTopics(
      Supplier<Map<String, Object>> clientConfig, boolean mayCreate, Duration timeout) {
    this.clientConfig = clientConfig;
    this.mayCreate = mayCreate;
    this.timeout = timeout;
  }

  /** Wants topics, with the broker's defaults. */
  public KafkaTopics require(List<String> topics) {
    topics.forEach(topic -> required.add(new NewTopic(topic, Optional.empty(), Optional.empty())));
    return this;
  }

  /** Wants a topic that keeps the latest record of each key, for one writer. */
  public KafkaTopics requireCompacted(String topic) {
    required.add(new NewTopic(topic, Optional.of(1), Optional.empty()).configs(COMPACTED));
    return this;
  }

  /**
   * Makes those that are not there.
   *
   * @throws TopicsUnavailableException if one is missing and cannot be made, or Kafka does not
   *     answer
   */
  public void createMissing() throws TopicsUnavailableException, InterruptedException {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    try (Admin admin = Admin.create(config)) {
      List<NewTopic> missing = missing(admin);
      if (!missing.isEmpty()) {
        if (!mayCreate) {
          throw unavailable(missing, "kafka.create-topics does not allow to create any");
        }
        createTopics(admin, missing);
        awaitLeaders(admin, missing);
      }
      warnIfNotCompacted(admin);
    } catch (ExecutionException e) {
      throw new TopicsUnavailableException(
          "Kafka at "
              + brokers()
              + " does not tell its topics "
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
        described.get(topic.name()).get();
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
        results.get(topic.name()).get();
        LOG.info("Created the topic {}", topic.name());
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof TopicExistsException)) {
          throw unavailable(
              List.of(topic), "Kafka does not create it: " + ErrorMessages.singleLine(e));
        }
      }
    }
  }

  /**
   * Waits until the new partitions can be written to. A producer's first batch that comes too early
   * is refused, the one behind it may be taken, and then the broker refuses the first for ever for
   * its sequence number (seen on 4.1.1).
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
    // only a leader that is ready answers; until then it is asked again
    admin.listOffsets(partitions).all().get();
  }

  private TopicsUnavailableException unavailable(List<NewTopic> missing, String reason) {
    String names = missing.stream().map(NewTopic::name).collect(Collectors.joining(", "));
    String commands = missing.stream().map(this::createCommand).collect(Collectors.joining(" && "));
    return new TopicsUnavailableException(
        "Kafka has no topic " + names + ", and " + reason + ". Make it: " + commands);
  }

  private Object brokers() {
    return clientConfig.get().get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG);
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

  /** Kafka deletes old records of a topic that is not compacted, and with them what is kept. */
  private void warnIfNotCompacted(Admin admin) throws InterruptedException {
    for (NewTopic topic : required) {
      if (topic.configs() == null) {
        continue;
      }
      ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
      try {
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        if (!config
            .get(TopicConfig.CLEANUP_POLICY_CONFIG)
            .value()
            .contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
          LOG.error(
              "The topic {} is not compacted: Kafka will delete call contexts of calls that are up."
                  + " Correct it: kafka-configs.sh --bootstrap-server {} --alter --topic {}"
                  + " --add-config cleanup.policy=compact",
              topic.name(),
              brokers(),
              topic.name());
        }
      } catch (ExecutionException e) {
        // only who may describe its options can tell
        LOG.warn(
            "Whether the topic {} is compacted, as it has to be, cannot be told: {}",
            topic.name(),
            ErrorMessages.singleLine(e));
      }
    }
  }
}
