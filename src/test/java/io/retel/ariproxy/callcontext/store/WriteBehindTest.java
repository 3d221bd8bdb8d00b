// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Enqueued changes reach the store despite failures, and only explicit waits block. */
class WriteBehindTest {

  private static final Duration TIMEOUT = Duration.ofMillis(300);

  private final FakeStore store = new FakeStore();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final WriteBehind writeBehind = new WriteBehind(store, TIMEOUT, meters);

  @BeforeEach
  void start() {
    writeBehind.start();
  }

  @AfterEach
  void stop() {
    store.failing(false);
    writeBehind.stop();
  }

  @Test
  void writesAndDeletesEnqueuedChanges() {
    enqueue("one", "1");
    enqueue("two", "2");
    delete("one");
    await().untilAsserted(() -> assertThat(store.stored()).isEqualTo(Map.of("two", "2")));
  }

  @Test
  void awaitReturnsAfterStoreAcknowledges() throws Exception {
    enqueue("one", "1");
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).containsEntry("one", "1");
  }

  @Test
  void awaitReturnsWithoutPendingWrites() {
    store.failing(true);
    assertThatCode(writeBehind::awaitAcknowledged).doesNotThrowAnyException();
  }

  /** Most stores have one connection. */
  @Test
  void readsAndWritesOneAtATime() throws Exception {
    store.blockWrites();
    enqueue("one", "1");
    await().until(() -> store.attempts() == 1);
    Map<String, String> read = new ConcurrentHashMap<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                writeBehind.readAll(read::put);
              } catch (Exception e) {
                read.put("failure", e.toString());
              }
            });
    reader.start();
    await()
        .until(
            () ->
                EnumSet.of(Thread.State.WAITING, Thread.State.TERMINATED)
                    .contains(reader.getState()));

    store.unblockWrites();
    reader.join();

    assertThat(read).containsExactly(Map.entry("one", "1"));
    assertThat(store.isReadWhileWriting()).isFalse();
  }

  @Test
  void awaitTimesOutWhileStoreHangs() {
    store.blockWrites();
    enqueue("one", "1");
    assertThatThrownBy(writeBehind::awaitAcknowledged)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("300 ms");
    store.unblockWrites();
  }

  /** A disk that hangs; a server that sends a byte from time to time. */
  @Test
  void storeThatHangsIsFailing() {
    store.blockWrites();
    enqueue("one", "1");
    await().until(writeBehind::isFailing);
    assertThat(writeBehind.lastError())
        .hasValueSatisfying(error -> assertThat(error).startsWith("has not answered a write for "));
    store.unblockWrites();
    await().until(() -> !writeBehind.isFailing());
    assertThat(writeBehind.lastError()).isEmpty();
  }

  @Test
  void awaitReportsStoreError() {
    store.failing(true);
    enqueue("one", "1");
    assertThatThrownBy(writeBehind::awaitAcknowledged)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("store is down");
    assertThat(writeBehind.lastError()).contains("cannot be written: store is down");
    assertThat(Meters.STORE_WRITE_ERRORS.counter(meters).count()).isPositive();
  }

  @Test
  void awaitFailsFastWhileStoreIsFailing() {
    FakeStore failingStore = new FakeStore();
    failingStore.failing(true);
    WriteBehind longTimeout = new WriteBehind(failingStore, Duration.ofSeconds(30), meters);
    longTimeout.start();
    longTimeout.enqueue("one", Optional.of("1"));
    await().until(longTimeout::isFailing);
    assertThatThrownBy(longTimeout::awaitAcknowledged)
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("300 ms");
    failingStore.failing(false);
    await().until(() -> !longTimeout.isFailing());
    longTimeout.stop();
  }

  @Test
  void retriesAfterDriverError() {
    store.throwingError(true);
    enqueue("one", "1");
    await().untilAsserted(() -> assertThat(writeBehind.lastError()).isPresent());
    store.throwingError(false);
    await().untilAsserted(() -> assertThat(store.stored()).containsEntry("one", "1"));
  }

  /** Its earlier value is deleted: after a restart it would be wrong. */
  @Test
  void dropsOnlyChangesThatStoreRejects() throws Exception {
    enqueue("5", "earlier");
    writeBehind.awaitAcknowledged();
    store.blockWrites();
    enqueue("first", "held");
    await().until(() -> store.attempts() == 2);
    for (int i = 0; i < 10; i++) {
      enqueue(
          String.valueOf(i),
          i == 5 || i == 6 ? "x".repeat(FakeStore.MAX_VALUE_LENGTH + 1) : "small");
    }
    store.unblockWrites();
    writeBehind.awaitAcknowledged();

    assertThat(store.stored().keySet())
        .containsExactlyInAnyOrder("first", "0", "1", "2", "3", "4", "7", "8", "9");
    assertThat(writeBehind.lastError()).isEmpty();
    assertThat(Meters.STORE_REJECTED.counter(meters).count()).isEqualTo(2);
    assertThat(Meters.STORE_WRITE_ERRORS.counter(meters).count()).isZero();
  }

  @Test
  void countsRejectedChangeOnceIfOthersFail() throws Exception {
    store.failing(true);
    enqueue("large", "x".repeat(FakeStore.MAX_VALUE_LENGTH + 1));
    enqueue("small", "1");
    await().until(() -> store.attempts() > 1);
    assertThat(Meters.STORE_REJECTED.counter(meters).count()).isZero();

    store.failing(false);
    await().untilAsserted(() -> assertThat(store.stored()).isEqualTo(Map.of("small", "1")));
    assertThat(Meters.STORE_REJECTED.counter(meters).count()).isEqualTo(1);
  }

  @Test
  void inFlightWritesCountAsPending() {
    store.blockWrites();
    enqueue("one", "1");
    await().until(() -> store.attempts() == 1);
    assertThat(writeBehind.pending()).isEqualTo(1);
    store.unblockWrites();
    await().untilAsserted(() -> assertThat(writeBehind.pending()).isZero());
  }

  @Test
  void awaitCoversReplacementOfPendingValue() throws Exception {
    store.blockWrites();
    enqueue("first", "held");
    await().until(() -> store.attempts() == 1);
    enqueue("key", "old");
    enqueue("other", "x");
    enqueue("key", "new");
    store.unblockWrites();
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).containsEntry("key", "new").containsEntry("other", "x");
    assertThat(store.batches()).hasSize(2);
    assertThat(store.batches().get(1))
        .containsExactly(new Change("key", "new"), new Change("other", "x"));
  }

  /** The store encodes all values of a batch at once. */
  @Test
  void batchesOfLongValuesHaveFewChanges() throws Exception {
    store.blockWrites();
    enqueue("first", "held");
    await().until(() -> store.attempts() == 1);
    for (int i = 0; i < 1_000; i++) {
      enqueue("long " + i, "x".repeat(FakeStore.MAX_VALUE_LENGTH));
    }
    for (int i = 0; i < 5_000; i++) {
      enqueue("small " + i, "x".repeat(200));
    }
    store.unblockWrites();
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).hasSize(6_001);
    assertThat(store.batches().stream().map(List::size))
        .startsWith(1, 211, 211, 211, 211)
        .hasSize(7);
  }

  @Test
  void determinesLargeValueOnceForAllChangesUntilItIsWritten() throws Exception {
    AtomicInteger determined = new AtomicInteger();
    store.blockWrites();
    enqueue("first", "held");
    await().until(() -> store.attempts() == 1);
    for (int i = 0; i < 100; i++) {
      writeBehind.enqueue(
          "key", () -> Optional.of("determined " + determined.incrementAndGet() + " times"));
    }
    assertThat(determined).hasValue(0);
    store.unblockWrites();
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).containsEntry("key", "determined 1 times");
  }

  @Test
  void retryMergesFailedAndNewerWrites() {
    store.failing(true);
    enqueue("one", "old");
    enqueue("two", "2");
    await().until(() -> store.attempts() > 0);
    enqueue("one", "new");
    enqueue("three", "3");
    delete("two");
    store.failing(false);
    await()
        .untilAsserted(
            () -> assertThat(store.stored()).isEqualTo(Map.of("one", "new", "three", "3")));
    await().untilAsserted(() -> assertThat(writeBehind.lastError()).isEmpty());
  }

  /** Later ones can be pending while a batch fails. */
  @Test
  void failedBatchPrecedesLaterChanges() throws Exception {
    store.failing(true);
    int batch = 5_000;
    for (int i = 0; i < batch; i++) {
      enqueue("key " + i, "old");
    }
    await().until(() -> store.attempts() > 0);
    for (int i = batch; i < 3 * batch; i++) {
      enqueue("key " + i, "new");
    }
    enqueue("key 0", "longer than before");
    enqueue("key 1", "newer");
    delete("key 1");
    int attempts = store.attempts();
    await().until(() -> store.attempts() > attempts + 1);
    assertThat(writeBehind.pending()).isEqualTo(3 * batch);

    store.failing(false);
    await().untilAsserted(() -> assertThat(writeBehind.pending()).isZero());

    writeBehind.awaitAcknowledged();
    assertThat(store.stored())
        .hasSize(3 * batch - 1)
        .containsEntry("key 0", "longer than before")
        .doesNotContainKey("key 1");
    assertThat(writeBehind.pendingBytes()).isZero();
  }

  @Test
  void pendingWritesAreCoalescedPerKey() {
    store.failing(true);
    for (int i = 0; i < 1_000; i++) {
      enqueue("key " + i % 10, "value " + i);
    }
    await().untilAsserted(() -> assertThat(writeBehind.pending()).isEqualTo(10));
  }

  @Test
  void failedReadIsCountedAndThrows() throws Exception {
    store.failing(true);
    assertThatThrownBy(() -> writeBehind.readAll((key, value) -> {}))
        .isInstanceOf(StoreUnavailableException.class)
        .hasMessageContaining("(Fake) cannot be read: store is down");
    assertThat(Meters.STORE_READ_ERRORS.counter(meters).count()).isEqualTo(1);
    assertThat(writeBehind.lastError()).contains("cannot be read: store is down");

    store.failing(false);
    enqueue("one", "1");
    writeBehind.awaitAcknowledged();
    Map<String, String> read = new HashMap<>();
    writeBehind.readAll(read::put);
    assertThat(read).isEqualTo(Map.of("one", "1"));
    assertThat(writeBehind.lastError()).isEmpty();
  }

  @Test
  void stopFlushesPendingWritesAndClosesStore() {
    store.blockWrites();
    enqueue("one", "1");
    store.unblockWrites();
    writeBehind.stop();
    assertThat(store.stored()).containsEntry("one", "1");
    assertThat(store.isClosed()).isTrue();
  }

  @Test
  void stopTimesOutWhileStoreIsUnavailable() {
    store.failing(true);
    enqueue("one", "1");
    writeBehind.stop();
    assertThat(store.stored()).isEmpty();
    assertThat(store.isClosed()).isTrue();
  }

  @Test
  void stopDoesNotWaitForStoreThatDoesNotClose() throws Exception {
    store.closeWaitsForWrites();
    store.blockWrites();
    enqueue("one", "1");
    try (CapturedLog log = new CapturedLog()) {
      Async.run(writeBehind::stop).get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      assertThat(log.lines(Level.WARN))
          .contains("The call-context store (Fake) does not close; ending without it");
    } finally {
      store.unblockWrites();
    }
    await().until(store::isClosed);
  }

  private void enqueue(String key, String value) {
    writeBehind.enqueue(key, Optional.of(value));
  }

  private void delete(String key) {
    writeBehind.enqueue(key, Optional.empty());
  }
}
