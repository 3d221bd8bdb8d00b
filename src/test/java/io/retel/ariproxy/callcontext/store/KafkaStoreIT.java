// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class KafkaStoreIT extends CallContextStoreContract {

  private static final Set<String> TOPICS = new HashSet<>();

  private static KafkaBroker broker;

  @BeforeAll
  static void launch() {
    broker = KafkaBroker.launch();
  }

  @AfterAll
  static void close() {
    broker.close();
  }

  @Override
  Map<Setting<?>, String> settings() {
    return Map.of(
        Setting.CALLCONTEXT_STORE, "kafka", Setting.KAFKA_BROKERS, broker.bootstrapServers());
  }

  /** Each proxy has its own topic. */
  @Override
  Map<Setting<?>, String> settings(String proxyNamespace, String app) {
    String topic = (proxyNamespace + "." + app).replace(":", "--");
    if (TOPICS.add(topic)) {
      broker.createTopic(topic, 2);
    }
    Map<Setting<?>, String> settings = super.settings(proxyNamespace, app);
    settings.put(KafkaStoreProvider.TOPIC, topic);
    return settings;
  }

  @Test
  void failsWithinTimeoutAndRecoversAfterServerRestart() throws Exception {
    assertFailsWithinTimeoutAndRecovers(broker::stop, broker::start);
  }
}
