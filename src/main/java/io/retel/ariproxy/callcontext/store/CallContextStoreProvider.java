// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.StoreType;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Adds a store: its value of {@code callcontext.store}, its settings and log levels, and the store
 * itself. Public, with a public constructor without parameters, and listed in {@code
 * META-INF/services/io.retel.ariproxy.config.StoreType}.
 */
public interface CallContextStoreProvider extends StoreType {

  /** The provider of the store that {@code callcontext.store} selects. */
  static CallContextStoreProvider of(Settings settings) {
    return (CallContextStoreProvider) settings.get(Setting.CALLCONTEXT_STORE);
  }

  /**
   * Returns the store; does not connect yet.
   *
   * @param settings the settings, validated by {@link #validate}
   * @param kafkaClientConfig address and login of Kafka; queried for each new client
   * @param topics the topics that the proxy requires, to add one
   */
  CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics);

  /** The {@code app} of a store: all Stasis applications of this proxy. */
  static String app(Settings settings) {
    return String.join(",", settings.get(Setting.ARI_APP));
  }
}
