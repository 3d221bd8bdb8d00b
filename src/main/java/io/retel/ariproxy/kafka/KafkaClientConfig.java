// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;

/**
 * Connection options of the proxy's own Kafka clients.
 *
 * <p>They are the same as for the routes: the options of Camel's component ({@code
 * camel.component.kafka.*}), overridden by the security settings.
 */
public final class KafkaClientConfig {

  private KafkaClientConfig() {}

  /** Returns the options common to all kinds of Kafka clients. */
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

  /** Returns the properties of a consumer without those that an admin client lacks. */
  static Properties adminProperties(Properties properties) {
    Properties result = new Properties();
    properties.forEach(
        (name, value) -> {
          // others are of the proxy, such as those of ReloadedSslEngineFactory
          if (AdminClientConfig.configNames().contains(name.toString())
              || !ConsumerConfig.configNames().contains(name.toString())) {
            result.put(name, value);
          }
        });
    return result;
  }
}
