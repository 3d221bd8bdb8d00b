package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.ConfigDef;

/**
 * How long the begun commands of partitions that are given back may take to be answered.
 *
 * @param running while the proxy runs on, and only its share of the partitions changes
 * @param stopping when the proxy stops
 */
public record DrainTimeouts(Duration running, Duration stopping) {

  /**
   * As much of it as Kafka grants: a consumer that does not poll for {@code max.poll.interval.ms}
   * is put out of its group, and a fifth of that is left for the commit.
   *
   * @param consumer the consumer's options
   */
  DrainTimeouts limitedBy(Properties consumerConfig) {
    String option = ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG;
    Object value =
        consumerConfig.getOrDefault(option, ConsumerConfig.configDef().defaultValues().get(option));
    int interval = (int) ConfigDef.parseType(option, value, ConfigDef.Type.INT);
    Duration limit = Duration.ofMillis(interval).multipliedBy(4).dividedBy(5);
    return new DrainTimeouts(min(running, limit), min(stopping, limit));
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
