package io.retel.ariproxy.kafka;

import java.util.Properties;
import org.apache.camel.component.kafka.DefaultKafkaClientFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;

/**
 * Makes the Kafka clients of endpoints that name no {@code kafkaClientFactory}, such as those of
 * routes of one's own: Camel's, which encrypt and log in as the settings say.
 */
public final class SecuredKafkaClientFactory extends DefaultKafkaClientFactory {

  private final KafkaSecurity security;

  public SecuredKafkaClientFactory(KafkaSecurity security) {
    this.security = security;
  }

  @Override
  @SuppressWarnings("rawtypes") // as Camel has it
  public Producer getProducer(Properties properties) {
    return super.getProducer(security.applyTo(properties));
  }

  @Override
  @SuppressWarnings("rawtypes") // as Camel has it
  public Consumer getConsumer(Properties properties) {
    return super.getConsumer(security.applyTo(properties));
  }
}
