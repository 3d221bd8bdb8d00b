package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Map;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.CommonClientConfigs;

/**
 * How the proxy's own clients reach Kafka: as the routes' clients do, which Camel's component makes
 * ({@code camel.component.kafka.*}), and which encrypt and log in as the settings say.
 */
public final class KafkaClientConfig {

  private KafkaClientConfig() {}

  /** The options that all kinds of Kafka clients have in common. */
  public static Map<String, Object> of(
      CamelContext context, String brokers, KafkaSecurity security) {
    KafkaConfiguration componentConfig =
        context.getComponent("kafka", KafkaComponent.class).getConfiguration();
    Map<String, Object> config = new HashMap<>();
    if (componentConfig != null) {
      componentConfig
          .createProducerProperties()
          .forEach(
              (key, value) -> {
                String name = key.toString();
                if (name.startsWith("security.")
                    || name.startsWith("sasl.")
                    || name.startsWith("ssl.")) {
                  config.put(name, value);
                }
              });
    }
    config.putAll(security.options());
    config.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers);
    return config;
  }
}
