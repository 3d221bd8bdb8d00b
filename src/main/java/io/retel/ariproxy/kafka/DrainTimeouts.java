// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.config.ConfigDef;

/**
 * How long to wait for the started commands of revoked partitions.
 *
 * @param running while the proxy is running and the group rebalances
 * @param stopping while the proxy is stopping
 */
public record DrainTimeouts(Duration running, Duration stopping) {

  /**
   * Returns these timeouts, limited to four fifths of {@code max.poll.interval.ms}.
   *
   * <p>Kafka removes a consumer that does not poll for that interval from its group; the last fifth
   * is for the commit.
   *
   * @param consumerConfig the options of the consumer
   */
  DrainTimeouts limitedBy(Properties consumerConfig) {
    Duration limit =
        option(consumerConfig, ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG)
            .multipliedBy(4)
            .dividedBy(5);
    return new DrainTimeouts(min(running, limit), min(stopping, limit));
  }

  /** Returns an option in milliseconds, or Kafka's default. */
  static Duration option(Properties consumerConfig, String option) {
    Object value =
        consumerConfig.getOrDefault(option, ConsumerConfig.configDef().defaultValues().get(option));
    return Duration.ofMillis((int) ConfigDef.parseType(option, value, ConfigDef.Type.INT));
  }

  private static Duration min(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}
