// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.Map;
import java.util.function.Supplier;

/** {@code callcontext.store = memory}. */
public final class MemoryStoreProvider implements CallContextStoreProvider {

  @Override
  public String name() {
    return "memory";
  }

  @Override
  public String location() {
    return "nowhere";
  }

  @Override
  public CallContextStore create(
      Settings settings, Supplier<Map<String, Object>> kafkaClientConfig, KafkaTopics topics) {
    return new MemoryStore();
  }
}
