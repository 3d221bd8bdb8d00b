// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.Properties;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Producer;

/**
 * Camel's Kafka clients with the proxy's security settings.
 *
 * <p>Used by endpoints without {@code kafkaClientFactory}, such as those of custom routes.
 */
public final class SecuredKafkaClientFactory extends DefaultKafkaClientFactory {

  private final KafkaSecurity security;

  public SecuredKafkaClientFactory(KafkaSecurity security) {
    this.security = security;
  }

  @Override
  @SuppressWarnings("rawtypes") // Camel's signature
  public Producer getProducer(Properties properties) {
    return super.getProducer(security.applyTo(properties));
  }

  @Override
  @SuppressWarnings("rawtypes") // Camel's signature
  public Consumer getConsumer(Properties properties) {
    Properties secured = security.applyTo(properties);
    // otherwise a route of a user that consumes a missing topic creates it, with the broker's
    // defaults
    secured.putIfAbsent(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    return super.getConsumer(secured);
  }
}
