// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.fixtures.FailingLog;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What becomes of the store's producer after a failed write. */
@ExtendWith(KafkaExtension.class)
class KafkaStoreProducerIT {

  private static final String TOPIC = "store-of-ended-producer";

  @Test
  void replacesProducerWhoseThreadEnded(KafkaBroker kafka) throws Exception {
    kafka.createTopic(TOPIC, 1);
    Set<Thread> others = senders();
    try (KafkaStore store = store(kafka, TOPIC)) {
      store.write(List.of(new Change("before", "1")));
      Set<Thread> ended = senders();
      ended.removeAll(others);
      assertThat(ended).hasSize(1);
      try (FailingLog log = new FailingLog(ended)) {
        log.awaitEnd();
      }

      assertThatThrownBy(() -> store.write(List.of(new Change("after", "2"))))
          .isInstanceOf(TimeoutException.class);
      store.write(List.of(new Change("after", "2")));

      assertThat(CallContextStoreContract.readAll(store))
          .containsExactlyInAnyOrderEntriesOf(Map.of("before", "1", "after", "2"));
    }
  }

  /** Otherwise a frozen broker could write the expired batch after a newer one. */
  @Test
  void keepsProducerAfterExpiredBatch() throws Exception {
    String topic = "store-of-expired-batch";
    Set<Thread> others = senders();
    try (KafkaBroker broker = KafkaBroker.launch()) {
      broker.createTopic(topic, 1);
      try (KafkaStore store = store(broker, topic)) {
        store.write(List.of(new Change("key", "1")));
        Set<Thread> before = senders();
        before.removeAll(others);
        assertThat(before).hasSize(1);
        broker.stop();

        assertThatThrownBy(() -> store.write(List.of(new Change("key", "2"))))
            .hasCauseInstanceOf(org.apache.kafka.common.errors.TimeoutException.class);

        broker.start();
        Awaitility.await("written after the outage")
            .ignoreExceptions()
            .untilAsserted(() -> store.write(List.of(new Change("key", "3"))));
        Set<Thread> after = senders();
        after.removeAll(others);
        assertThat(after).isEqualTo(before);
        assertThat(CallContextStoreContract.readAll(store)).containsExactly(Map.entry("key", "3"));
      }
    }
  }

  private static KafkaStore store(KafkaBroker broker, String topic) {
    return new KafkaStore(
        () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, broker.bootstrapServers()),
        topic,
        Duration.ofSeconds(2));
  }

  private static Set<Thread> senders() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("kafka-producer-network-thread"))
        .collect(Collectors.toSet());
  }
}
