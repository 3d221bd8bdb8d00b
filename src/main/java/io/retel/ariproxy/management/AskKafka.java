package io.retel.ariproxy.management;

import io.retel.ariproxy.kafka.KafkaTrouble;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Asks Kafka whether the proxy's topics are there and can be written to and read from: each
 * partition has a leader.
 */
public final class AskKafka implements Probe.Question, AutoCloseable {

  private final Supplier<Map<String, Object>> connection;
  private final List<String> topics;
  private final Duration timeout;
  private volatile Admin admin;

  /**
   * @param connection where Kafka is, and how to log in
   * @param timeout how long Kafka may take to answer
   */
  public AskKafka(Supplier<Map<String, Object>> connection, List<String> topics, Duration timeout) {
    this.connection = connection;
    this.topics = List.copyOf(topics);
    this.timeout = timeout;
  }

  @Override
  public void ask() throws Exception {
    if (admin == null) {
      Map<String, Object> config = new HashMap<>(connection.get());
      config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
      config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
      admin = Admin.create(config);
    }
    for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
        admin.describeTopics(topics).topicNameValues().entrySet()) {
      TopicDescription described;
      try {
        described = topic.getValue().get();
      } catch (ExecutionException e) {
        throw new IllegalStateException(
            "Kafka at "
                + connection.get().get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG)
                + (e.getCause() instanceof UnknownTopicOrPartitionException
                    ? " has no topic " + topic.getKey()
                    : " does not tell of the topic "
                        + topic.getKey()
                        + ": "
                        + KafkaTrouble.inOneLine(e)));
      }
      List<Integer> withoutLeader =
          described.partitions().stream()
              .filter(partition -> partition.leader() == null)
              .map(TopicPartitionInfo::partition)
              .toList();
      if (!withoutLeader.isEmpty()) {
        throw new IllegalStateException(
            "Kafka has no leader for the partitions "
                + withoutLeader
                + " of "
                + topic.getKey()
                + ": a broker is down");
      }
    }
  }

  @Override
  public void close() {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
  }
}
