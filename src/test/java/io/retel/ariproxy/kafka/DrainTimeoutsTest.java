// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.api.Test;

/** Limit of drain timeouts: Kafka removes a consumer that does not poll in time. */
class DrainTimeoutsTest {

  private static final DrainTimeouts TEN_MINUTES =
      new DrainTimeouts(Duration.ofMinutes(10), Duration.ofMinutes(10));

  private final Properties consumerConfig = new Properties();

  @Test
  void isCappedByDefaultMaxPollInterval() {
    Duration limit = Duration.ofMinutes(4);
    assertThat(TEN_MINUTES.limitedBy(consumerConfig)).isEqualTo(new DrainTimeouts(limit, limit));
  }

  @Test
  void isCappedByConfiguredMaxPollInterval() {
    consumerConfig.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, "100000");
    assertThat(TEN_MINUTES.limitedBy(consumerConfig).running()).isEqualTo(Duration.ofSeconds(80));
  }

  @Test
  void shorterTimeoutsAreUnchanged() {
    DrainTimeouts shorter = new DrainTimeouts(Duration.ofSeconds(27), Duration.ofSeconds(15));
    assertThat(shorter.limitedBy(consumerConfig)).isEqualTo(shorter);
  }
}
