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

  /** Camel sets it where a route does not. */
  private static final String DEFAULT_METADATA_AGE = "300000";

  private static final String MAX_METADATA_AGE_MILLIS = "10000";

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
    return super.getConsumer(consumerOptions(properties));
  }

  Properties consumerOptions(Properties properties) {
    Properties secured = security.applyTo(properties);
    // otherwise a route of a user that consumes a missing topic creates it, with the broker's
    // defaults
    secured.putIfAbsent(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    // otherwise a route of a user reads an added partition up to 5 minutes later, from its end
    if (DEFAULT_METADATA_AGE.equals(
        String.valueOf(secured.get(ConsumerConfig.METADATA_MAX_AGE_CONFIG)))) {
      secured.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, MAX_METADATA_AGE_MILLIS);
    }
    return secured;
  }
}
