package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is noted reaches the store, whatever the store does, and nobody waits who does not ask to.
 */
class WriteBehindTest {

  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final FakeStore store = new FakeStore();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final WriteBehind behind = new WriteBehind(store, PATIENCE, meters);

  @BeforeEach
  void start() {
    behind.start();
  }

  @AfterEach
  void stop() {
    store.failing(false);
    behind.stop();
  }

  @Test
  void whatIsNotedIsWrittenAndWhatIsForgottenIsRemoved() {
    note("one", "1");
    note("two", "2");
    forget("one");
    await().untilAsserted(() -> assertThat(store.kept()).isEqualTo(Map.of("two", "2")));
  }

  @Test
  void whoWaitsIsLetGoWhenTheStoreHasAcknowledged() throws Exception {
    note("one", "1");
    behind.awaitAcknowledged();
    assertThat(store.kept()).containsEntry("one", "1");
  }

  @Test
  void nobodyWaitsWhoHasNothingToWaitFor() {
    store.failing(true);
    assertThatCode(behind::awaitAcknowledged).doesNotThrowAnyException();
  }

  @Test
  void whoWaitsForAStoreThatHangsIsToldSoInTime() {
    store.hold();
    note("one", "1");
    assertThatThrownBy(behind::awaitAcknowledged)
        .isInstanceOf(StoreNotReachedException.class)
        .hasMessageContaining("300 ms");
    store.letGo();
  }

  @Test
  void whoWaitsForAStoreThatFailsIsToldWhy() {
    store.failing(true);
    note("one", "1");
    assertThatThrownBy(behind::awaitAcknowledged)
        .isInstanceOf(StoreNotReachedException.class)
        .hasMessageContaining("it is away");
    assertThat(behind.trouble()).contains("cannot be written: it is away");
    assertThat(Meters.STORE_WRITE_ERRORS.in(meters).count()).isPositive();
  }

  @Test
  void whoWaitsForAStoreThatHasFailedLatelyDoesNotKeepOthersWaitingForLong() {
    FakeStore away = new FakeStore();
    away.failing(true);
    WriteBehind patient = new WriteBehind(away, Duration.ofSeconds(30), meters);
    patient.start();
    patient.note("one", Optional.of("1"));
    await().until(patient::isFailing);
    assertThatThrownBy(patient::awaitAcknowledged)
        .isInstanceOf(StoreNotReachedException.class)
        .hasMessageContaining("300 ms");
    away.failing(false);
    await().until(() -> !patient.isFailing());
    patient.stop();
  }

  @Test
  void anErrorOfADriverIsAFailureLikeOthers() {
    store.breaking(true);
    note("one", "1");
    await().untilAsserted(() -> assertThat(behind.trouble()).isPresent());
    store.breaking(false);
    await().untilAsserted(() -> assertThat(store.kept()).containsEntry("one", "1"));
  }

  @Test
  void whatTheWriterHasInItsHandsWaitsAsWell() {
    store.hold();
    note("one", "1");
    await().until(() -> store.tries() == 1);
    assertThat(behind.waiting()).isEqualTo(1);
    store.letGo();
    await().untilAsserted(() -> assertThat(behind.waiting()).isZero());
  }

  @Test
  void whoWaitedForAValueThatANewerOneReplacedIsNotLetGoBeforeThatIsWritten() throws Exception {
    store.hold();
    note("first", "held");
    await().until(() -> store.tries() == 1);
    note("key", "old");
    note("other", "x");
    note("key", "new");
    store.letGo();
    behind.awaitAcknowledged();
    assertThat(store.kept()).containsEntry("key", "new").containsEntry("other", "x");
    assertThat(store.batches()).hasSize(2);
    assertThat(store.batches().get(1))
        .containsExactly(new Change("key", "new"), new Change("other", "x"));
  }

  @Test
  void whatFailedIsWrittenWithWhatIsNewerWhenTheStoreIsBack() {
    store.failing(true);
    note("one", "old");
    note("two", "2");
    await().until(() -> store.tries() > 0);
    note("one", "new");
    note("three", "3");
    forget("two");
    store.failing(false);
    await()
        .untilAsserted(
            () -> assertThat(store.kept()).isEqualTo(Map.of("one", "new", "three", "3")));
    await().untilAsserted(() -> assertThat(behind.trouble()).isEmpty());
  }

  @Test
  void aStoreThatIsAwayHoldsNoMoreThanOneChangePerKey() {
    store.failing(true);
    for (int i = 0; i < 1_000; i++) {
      note("key " + i % 10, "value " + i);
    }
    await().untilAsserted(() -> assertThat(behind.waiting()).isEqualTo(10));
  }

  @Test
  void aFailingReadIsCountedAndIsNoEmptyStore() throws Exception {
    store.failing(true);
    assertThatThrownBy(() -> behind.readAll((key, value) -> {}))
        .isInstanceOf(StoreNotReachedException.class)
        .hasMessageContaining("(Fake) cannot be read: it is away");
    assertThat(Meters.STORE_READ_ERRORS.in(meters).count()).isEqualTo(1);
    assertThat(behind.trouble()).contains("cannot be read: it is away");

    store.failing(false);
    note("one", "1");
    behind.awaitAcknowledged();
    Map<String, String> read = new HashMap<>();
    behind.readAll(read::put);
    assertThat(read).isEqualTo(Map.of("one", "1"));
    assertThat(behind.trouble()).isEmpty();
  }

  @Test
  void aStopWritesWhatWaitsAndEndsTheConnection() {
    store.hold();
    note("one", "1");
    store.letGo();
    behind.stop();
    assertThat(store.kept()).containsEntry("one", "1");
    assertThat(store.isClosed()).isTrue();
  }

  @Test
  void aStopDoesNotWaitForEverForAStoreThatIsAway() {
    store.failing(true);
    note("one", "1");
    behind.stop();
    assertThat(store.kept()).isEmpty();
    assertThat(store.isClosed()).isTrue();
  }

  private void note(String key, String value) {
    behind.note(key, Optional.of(value));
  }

  private void forget(String key) {
    behind.note(key, Optional.empty());
  }
}
