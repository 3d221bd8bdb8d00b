// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.SettingType;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** {@code callcontext.store = kafka}. */
public final class KafkaStoreProvider implements CallContextStoreProvider {

  public static final Setting<String> TOPIC =
      Setting.ofStore(
          "callcontext.kafka-topic",
          SettingType.topic(),
          Setting.KAFKA_COMMANDS_TOPIC,
          "-call-contexts",
          """
          For kafka: the compacted topic, one per proxy. Created if missing.""");

  @Override
  public String name() {
    return "kafka";
  }

  @Override
  public String location() {
    return "a compacted topic; no other service needed";
  }

  @Override
  public List<Setting<?>> settings() {
    return List.of(TOPIC);
  }

  @Override
  public CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics) {
    topics.requireCompacted(settings.get(TOPIC));
    return new KafkaStore(
        kafkaClientConfig, settings.get(TOPIC), settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
  }
}
