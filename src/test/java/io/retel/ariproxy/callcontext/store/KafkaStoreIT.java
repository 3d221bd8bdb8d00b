// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.awaitility.Awaitility;
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

  @Test
  void writesBatchesThatTopicAccepts() throws Exception {
    String topic = "limited";
    broker.createTopic(topic, 1);
    broker.setMaxMessageBytes(topic, 4_000);
    try (KafkaStore store = store(topic)) {
      store.write(changes("a"));
      broker.setMaxMessageBytes(topic, 2_000);
      Awaitility.await("limit read again")
          .ignoreException(ExecutionException.class)
          .until(
              () -> {
                store.write(changes("b"));
                return true;
              });
      assertThat(CallContextStoreContract.readAll(store).values()).hasSize(200).containsOnly("b");
    }
  }

  /** Until Kafka compacts a topic, it contains the mappings that have ended. */
  @Test
  void mappingsThatHaveEndedTakeNoPlaceOfOthers() throws Exception {
    String topic = "history";
    broker.createTopic(topic, 2);
    String mapping =
        "{\"callContext\":\"call\",\"usedAt\":%d}".formatted(Instant.now().getEpochSecond());
    List<CallContextStore.Change> active =
        IntStream.range(0, 20)
            .mapToObj(i -> new CallContextStore.Change("CHANNEL:active-" + i, mapping))
            .toList();
    CallContexts limited =
        new CallContexts(
            Duration.ofHours(4),
            Duration.ofMinutes(1),
            Ticker.systemTicker(),
            WriteBehind.noop(new SimpleMeterRegistry()),
            InstantSource.system(),
            10_000);
    try (KafkaStore store = store(topic)) {
      store.write(changes(mapping));
      store.write(active);
      store.write(changes(null));
      do {
        store.readAll(limited::restore);
      } while (!limited.completeRestore());
    }
    assertThat(limited.all()).hasSize(active.size());
  }

  /** Kafka accepts it in a topic that is not compacted. */
  @Test
  void restoresWhatIsNextToRecordWithoutKey() throws Exception {
    String topic = "without-key";
    broker.createTopic(topic, 1);
    String mapping =
        "{\"callContext\":\"call\",\"usedAt\":%d}".formatted(Instant.now().getEpochSecond());
    try (TopicWriter writer = new TopicWriter(broker.bootstrapServers())) {
      writer.send(topic, null, "text");
      writer.send(topic, "CHANNEL:1", mapping);
    }
    CallContexts callContexts =
        new CallContexts(Duration.ofHours(4), Duration.ofMinutes(1), Ticker.systemTicker());
    try (KafkaStore store = store(topic);
        CapturedLog log = new CapturedLog()) {
      store.readAll(
          (key, value) -> {
            assertThat(key).isNotNull();
            callContexts.restore(key, value);
          });
      callContexts.completeRestore();
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .startsWith("1 mappings of the call-context store are malformed and not restored");
    }
    assertThat(callContexts.all()).hasSize(1);
  }

  private static KafkaStore store(String topic) {
    return new KafkaStore(
        () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
        topic,
        Duration.ofSeconds(5));
  }

  private static List<CallContextStore.Change> changes(String value) {
    return IntStream.range(0, 200)
        .mapToObj(i -> new CallContextStore.Change("CHANNEL:" + i + "-of-the-test", value))
        .toList();
  }
}
