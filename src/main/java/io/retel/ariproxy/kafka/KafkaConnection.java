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
public final class KafkaConnection {

  private KafkaConnection() {}

  /** The options that all kinds of Kafka clients have in common. */
  public static Map<String, Object> of(
      CamelContext context, String brokers, KafkaSecurity security) {
    KafkaConfiguration routes =
        context.getComponent("kafka", KafkaComponent.class).getConfiguration();
    Map<String, Object> common = new HashMap<>();
    if (routes != null) {
      routes
          .createProducerProperties()
          .forEach(
              (key, value) -> {
                String name = key.toString();
                if (name.startsWith("security.")
                    || name.startsWith("sasl.")
                    || name.startsWith("ssl.")) {
                  common.put(name, value);
                }
              });
    }
    common.putAll(security.options());
    common.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, brokers);
    return common;
  }
}
