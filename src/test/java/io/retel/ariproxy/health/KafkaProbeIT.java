// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.kafka.KafkaPermissions;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
            new KafkaTopics(
                    () ->
                        Map.of(
                            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                    new KafkaTopics.NewTopics(false, 12, 3),
                    new KafkaPermissions(() -> "proxy", List.of(), List.of(), List.of()),
                    Duration.ofSeconds(10))
                .require(List.of("missing-topic")),
            List.of(),
            Optional::empty)) {
      assertThatThrownBy(probe::run)
          .hasMessage(
              "Kafka has no topic missing-topic: kafka.create-topics is false. Create it:"
                  + " kafka-topics.sh --bootstrap-server "
                  + kafka.bootstrapServers()
                  + " --create --topic missing-topic --partitions 12 --replication-factor 1");
    }
  }
}
