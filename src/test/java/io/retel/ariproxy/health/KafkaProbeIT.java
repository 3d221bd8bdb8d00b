// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests the error messages for unusable topics. */
@ExtendWith(KafkaExtension.class)
class KafkaProbeIT {

  @Test
  void reportsMissingTopic(KafkaBroker kafka) {
    try (KafkaProbe probe =
        new KafkaProbe(
            () -> Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
            List.of("missing-topic"),
            List.of(),
            Duration.ofSeconds(10))) {
      assertThatThrownBy(probe::run)
          .hasMessage("Kafka at " + kafka.bootstrapServers() + " has no topic missing-topic");
    }
  }
}
