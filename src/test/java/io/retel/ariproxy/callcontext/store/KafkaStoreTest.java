// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

/** A store whose Kafka is unreachable. */
class KafkaStoreTest {

  private static final Map<String, Object> UNREACHABLE =
      Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1");
  private static final List<Change> CHANGES = List.of(new Change("CHANNEL:1", "a"));

  @Test
  void warnsOnceThatLimitIsUnknown() {
    try (CapturedLog log = new CapturedLog();
        KafkaStore store = new KafkaStore(() -> UNREACHABLE, "test", Duration.ofMillis(300))) {
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> store.write(CHANGES)).isInstanceOf(TimeoutException.class);
      }
      assertThat(log.lines(Level.WARN))
          .filteredOn(line -> line.startsWith("Cannot read max.message.bytes"))
          .hasSize(1);
    }
  }

  /** Creating a client can take long, since it resolves names. */
  @Test
  void closesWhileClientIsCreated() throws Exception {
    CountDownLatch creating = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    KafkaStore store =
        new KafkaStore(
            () -> {
              creating.countDown();
              awaitUninterrupted(closed);
              return UNREACHABLE;
            },
            "test",
            Duration.ofMillis(300));
    CompletableFuture<Throwable> failure =
        CompletableFuture.supplyAsync(() -> catchThrowable(() -> store.write(CHANGES)));
    creating.await();

    store.close();
    closed.countDown();

    assertThat(failure.get()).isInstanceOf(IllegalStateException.class);
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
