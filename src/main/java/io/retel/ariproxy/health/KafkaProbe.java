// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.kafka.KafkaErrors;
import io.retel.ariproxy.kafka.OpenTransactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Check that the proxy's topics exist and can be written and read: each partition has a leader.
 * Also looks for transactions that hold back commands.
 */
public final class KafkaProbe implements Probe.Check, AutoCloseable {

  private final Supplier<Map<String, Object>> clientConfig;
  private final List<String> topics;
  private final List<String> commandTopics;
  private final Duration timeout;
  private final OpenTransactions openTransactions = new OpenTransactions(System::nanoTime);
  private volatile @Nullable Admin admin;

  /**
   * @param clientConfig supplies brokers and authentication
   * @param topics all topics
   * @param commandTopics those of them with commands
   * @param timeout how long to wait for Kafka's response
   */
  public KafkaProbe(
      Supplier<Map<String, Object>> clientConfig,
      List<String> topics,
      List<String> commandTopics,
      Duration timeout) {
    this.clientConfig = clientConfig;
    this.topics = List.copyOf(topics);
    this.commandTopics = List.copyOf(commandTopics);
    this.timeout = timeout;
  }

  @Override
  public void run() throws Exception {
    try {
      check();
    } catch (Throwable e) {
      // an error can have ended the client's thread: the next check creates another client
      close();
      admin = null;
      throw e;
    }
  }

  private void check() throws Exception {
    if (admin == null) {
      Map<String, Object> config = new HashMap<>(clientConfig.get());
      config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
      config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
      admin = Admin.create(config);
    }
    List<TopicPartition> commandPartitions = new ArrayList<>();
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        admin.describeTopics(topics).topicNameValues().entrySet()) {
      TopicDescription description;
      try {
        description = topic.getValue().get();
      } catch (ExecutionException e) {
        throw new IllegalStateException(
            "Kafka at "
                + clientConfig.get().get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG)
                + (e.getCause() instanceof UnknownTopicOrPartitionException
                    ? " has no topic " + topic.getKey()
                    : " failed to describe topic "
                        + topic.getKey()
                        + ": "
                        + KafkaErrors.describe(e)));
      }
      List<Integer> leaderlessPartitions =
          description.partitions().stream()
              .filter(partition -> partition.leader() == null)
              .map(TopicPartitionInfo::partition)
              .toList();
      if (!leaderlessPartitions.isEmpty()) {
        throw new IllegalStateException(
            "Kafka has no leader for partitions "
                + leaderlessPartitions
                + " of "
                + topic.getKey()
                + ": a broker is down");
      }
      if (commandTopics.contains(topic.getKey())) {
        description
            .partitions()
            .forEach(
                partition ->
                    commandPartitions.add(
                        new TopicPartition(topic.getKey(), partition.partition())));
      }
    }
    openTransactions.update(admin, commandPartitions);
  }

  /** Describes in one sentence which commands wait for a transaction to end; empty if none do. */
  public Optional<String> openTransactions() {
    return openTransactions.describe();
  }

  @Override
  public void close() {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
  }
}
