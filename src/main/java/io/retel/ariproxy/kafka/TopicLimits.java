// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InterruptException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The largest batch that each topic accepts: its {@code max.message.bytes}.
 *
 * <p>A producer needs it, since it splits a rejected batch into batches of its own batch size. If
 * the topic rejects these as well, it splits them again and publishes nothing (KAFKA-8350, seen on
 * 4.1.1). Thread-safe.
 */
public final class TopicLimits {

  private static final Logger LOG = LoggerFactory.getLogger(TopicLimits.class);

  /** Kafka's {@code message.max.bytes}, which topics have by default. */
  private static final int DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

  private final Supplier<Map<String, Object>> clientConfig;
  private final Duration timeout;
  private final Map<String, Integer> maxMessageBytes = new ConcurrentHashMap<>();

  /**
   * @param clientConfig address and login of Kafka; queried for each new client
   * @param timeout for Kafka to respond
   */
  public TopicLimits(Supplier<Map<String, Object>> clientConfig, Duration timeout) {
    this.clientConfig = clientConfig;
    this.timeout = timeout;
  }

  /** Reads the limits of topics from Kafka; logs those that cannot be read. Blocks. */
  public void read(Collection<String> topics) {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    List<ConfigResource> resources =
        topics.stream().map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic)).toList();
    try (Admin admin = Admin.create(config)) {
      admin
          .describeConfigs(resources)
          .values()
          .forEach((topic, limit) -> read(topic.name(), limit));
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      topics.forEach(topic -> logUnreadable(topic, ErrorMessages.singleLine(e)));
    }
  }

  void read(String topic, KafkaFuture<Config> config) {
    try {
      ConfigEntry limit = config.get().get(TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
      // a service compatible with Kafka can leave it out
      if (limit == null || limit.value() == null) {
        logUnreadable(topic, "Kafka does not return it");
      } else {
        maxMessageBytes.put(topic, Integer.valueOf(limit.value()));
      }
    } catch (ExecutionException e) {
      logUnreadable(topic, ErrorMessages.singleLine(e));
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private static void logUnreadable(String topic, String reason) {
    // requires the permission DescribeConfigs
    LOG.warn(
        "Cannot read max.message.bytes of topic {}: {}; if it is below the producer's batch size,"
            + " publishing can stop for some seconds",
        topic,
        reason);
  }

  /** Returns whether the limits of all these topics have been read. */
  boolean areKnown(Collection<String> topics) {
    return maxMessageBytes.keySet().containsAll(topics);
  }

  /** Returns the largest batch that all these topics accept, at most a given size. */
  public int batchSize(int maximum, Collection<String> topics) {
    return topics.stream()
        .mapToInt(topic -> maxMessageBytes.getOrDefault(topic, maximum))
        .reduce(maximum, Math::min);
  }

  /** Returns the largest batch that a topic accepts; Kafka's default if it has not been read. */
  int maxMessageBytes(String topic) {
    return maxMessageBytes.getOrDefault(topic, DEFAULT_MAX_MESSAGE_BYTES);
  }

  /**
   * Returns the number of batches that a producer has split since a topic rejected them as too
   * large; without compression, none if it respects the limits.
   */
  public static double splitBatches(Producer<?, ?> producer) {
    return producer.metrics().entrySet().stream()
        .filter(metric -> metric.getKey().name().equals("batch-split-total"))
        .mapToDouble(metric -> (double) metric.getValue().metricValue())
        .sum();
  }
}
