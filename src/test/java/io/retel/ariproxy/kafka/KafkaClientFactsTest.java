// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;

/** Limits of Kafka's clients that the proxy works around. */
class KafkaClientFactsTest {

  /**
   * If this fails, set the option for the proxy's producers: brokers then no longer create a
   * deleted topic with their defaults (docs/decisions/0012-topics-while-running.md).
   */
  @Test
  void producerCannotPreventCreationOfTopics() {
    assertThat(ProducerConfig.configNames())
        .doesNotContain(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG);
  }
}
