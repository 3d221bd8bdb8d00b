// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.kafka.OpenTransactions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.jspecify.annotations.Nullable;

/**
 * Check that the proxy's topics exist and can be written and read: each partition has a leader.
 * Creates deleted topics. Also looks for transactions that hold back commands.
 */
public final class KafkaProbe implements Probe.Check, AutoCloseable {

  private final KafkaTopics topics;
  private final List<String> commandTopics;
  private final Supplier<Optional<String>> startup;
  private final OpenTransactions openTransactions = new OpenTransactions(System::nanoTime);
  private volatile @Nullable Admin admin;

  /**
   * @param topics all topics
   * @param commandTopics those of them with commands
   * @param startup why the topics have never existed yet: until then, startup checks them, and a
   *     second client would only add to its attempts; empty afterward
   */
  public KafkaProbe(
      KafkaTopics topics, List<String> commandTopics, Supplier<Optional<String>> startup) {
    this.topics = topics;
    this.startup = startup;
    this.commandTopics = List.copyOf(commandTopics);
  }

  @Override
  public void run() throws Exception {
    Optional<String> unmet = startup.get();
    if (unmet.isPresent()) {
      throw new IllegalStateException(unmet.get());
    }
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
    Admin client = admin == null ? topics.createAdmin() : admin;
    admin = client;
    Map<String, TopicDescription> descriptions = topics.ensure(client);
    descriptions.forEach(KafkaProbe::requireLeaders);
    List<TopicPartition> commandPartitions = new ArrayList<>();
    for (String topic : commandTopics) {
      Objects.requireNonNull(descriptions.get(topic))
          .partitions()
          .forEach(
              partition -> commandPartitions.add(new TopicPartition(topic, partition.partition())));
    }
    openTransactions.update(client, commandPartitions);
  }

  private static void requireLeaders(String topic, TopicDescription description) {
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
              + topic
              + ": a broker is down");
    }
  }

  /** Describes in one sentence which commands wait for a transaction to end; empty if none do. */
  public Optional<String> openTransactions() {
    return openTransactions.describe();
  }

  @Override
  public void close() {
    Admin client = admin;
    if (client != null) {
      client.close(Duration.ZERO);
    }
  }
}
