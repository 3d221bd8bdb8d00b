// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.CommonClientConfigs;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens after an error on the thread of the store's producer. */
@ExtendWith(KafkaExtension.class)
class KafkaStoreProducerIT {

  private static final String TOPIC = "store-of-ended-producer";

  @Test
  @DisabledForJreRange(min = JRE.JAVA_20, disabledReason = "Thread.stop is not supported")
  void replacesProducerWhoseThreadEnded(KafkaBroker kafka) throws Exception {
    kafka.createTopic(TOPIC, 1);
    Set<Thread> others = senders();
    KafkaStore store =
        new KafkaStore(
            () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
            TOPIC,
            Duration.ofSeconds(2));
    try {
      store.write(List.of(new Change("before", "1")));
      Set<Thread> ended = senders();
      ended.removeAll(others);
      assertThat(ended).hasSize(1);
      end(ended.iterator().next());

      assertThatThrownBy(() -> store.write(List.of(new Change("after", "2"))))
          .isInstanceOf(TimeoutException.class);
      store.write(List.of(new Change("after", "2")));

      Map<String, String> entries = new HashMap<>();
      store.readAll(entries::put);
      assertThat(entries).containsExactlyInAnyOrderEntriesOf(Map.of("before", "1", "after", "2"));
    } finally {
      store.close();
    }
  }

  private static Set<Thread> senders() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("kafka-producer-network-thread"))
        .collect(Collectors.toSet());
  }

  @SuppressWarnings({"deprecation", "removal"})
  private static void end(Thread thread) {
    thread.stop();
    Awaitility.await("end of " + thread)
        .dontCatchUncaughtExceptions()
        .until(() -> !thread.isAlive());
  }
}
