// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.TopicConfig;
import org.junit.jupiter.api.Test;

/** Batch sizes that topics accept. */
class TopicLimitsTest {

  private final TopicLimits limits = new TopicLimits(Map::of, Duration.ZERO);

  @Test
  void usesSmallestLimit() {
    read("events", new Config(List.of(limit("1000"))));
    read("unmapped", new Config(List.of(limit("2000"))));
    assertThat(limits.batchSize(65_536, List.of("events", "unmapped"))).isEqualTo(1_000);
    assertThat(limits.areKnown(List.of("events", "unmapped"))).isTrue();
  }

  @Test
  void limitThatTheBrokerDoesNotReturnIsUnknown() {
    read("events", new Config(List.of()));
    read("unmapped", new Config(List.of(limit(null))));
    assertThat(limits.batchSize(65_536, List.of("events", "unmapped"))).isEqualTo(65_536);
    assertThat(limits.areKnown(List.of("events"))).isFalse();
    assertThat(limits.areKnown(List.of("unmapped"))).isFalse();
  }

  private void read(String topic, Config config) {
    limits.read(topic, KafkaFuture.completedFuture(config));
  }

  private static ConfigEntry limit(String value) {
    return new ConfigEntry(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, value);
  }
}
