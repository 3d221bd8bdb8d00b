// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Properties;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.api.Test;

/** Consumers of routes that users add. */
class SecuredKafkaClientFactoryTest {

  private final SecuredKafkaClientFactory factory =
      new SecuredKafkaClientFactory(KafkaSecurity.none());
  private final KafkaConfiguration route = new KafkaConfiguration();

  @Test
  void findsAddedPartitionsWithinTenSeconds() {
    assertThat(options()).containsEntry(ConsumerConfig.METADATA_MAX_AGE_CONFIG, "10000");
  }

  @Test
  void leavesIntervalOfRoute() {
    route.setMetadataMaxAgeMs(60_000);
    assertThat(options()).containsEntry(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 60_000);
  }

  @Test
  void createsNoTopic() {
    assertThat(options()).containsEntry(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
  }

  private Properties options() {
    return factory.consumerOptions(route.createConsumerProperties());
  }
}
