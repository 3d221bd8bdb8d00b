// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Ids of topics in Kafka, which Kafka's consumer does not reveal. */
final class TopicIds {

  /** A stop waits for a request. */
  private static final int TIMEOUT_MS = 10_000;

  private final Properties adminProperties;

  /**
   * @param properties of the consumer
   */
  TopicIds(Properties properties) {
    this.adminProperties = KafkaClientConfig.adminProperties(properties);
    adminProperties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
    adminProperties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MS);
  }

  /**
   * Returns the ids of those topics that exist; brokers before Kafka 2.8 have no ids. Waits for
   * Kafka for up to 10 s.
   *
   * @throws KafkaException if Kafka does not respond or does not permit it
   */
  Map<String, Uuid> of(Set<String> topics) {
    Map<String, Uuid> ids = new HashMap<>();
    try (Admin admin = Admin.create(adminProperties)) {
      for (Map.Entry<String, KafkaFuture<TopicDescription>> topic :
          admin.describeTopics(topics).topicNameValues().entrySet()) {
        try {
          Uuid id = topic.getValue().get().topicId();
          if (!id.equals(Uuid.ZERO_UUID)) {
            ids.put(topic.getKey(), id);
          }
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
            throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
          }
        }
      }
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
    return ids;
  }
}
