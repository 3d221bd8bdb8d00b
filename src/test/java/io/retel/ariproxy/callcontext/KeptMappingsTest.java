package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.store.FakeStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What of the memory of call contexts outlives the process (contract.md section 3). */
class KeptMappingsTest {

  private static final Duration IDLE = Duration.ofHours(4);
  private static final Duration GRACE = Duration.ofMinutes(1);
  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");
  private static final Resource BRIDGE = new Resource(ResourceType.BRIDGE, "b");

  private final FakeTicker ticker = new FakeTicker();
  private final FakeStore store = new FakeStore();
  private final WriteBehind behind =
      new WriteBehind(store, Duration.ofSeconds(5), new SimpleMeterRegistry());
  private Instant now = Instant.parse("2026-11-25T12:00:00Z");
  private final CallContexts callContexts = callContexts();

  private CallContexts callContexts() {
    return new CallContexts(IDLE, GRACE, ticker, behind, () -> now);
  }

  @BeforeEach
  void start() {
    behind.start();
  }

  @AfterEach
  void stop() {
    behind.stop();
  }

  @Test
  void theNextProcessKnowsWhatThisOneKnew() throws Exception {
    callContexts.register(CHANNEL, "call", false);
    callContexts.settle(CHANNEL);
    callContexts.enterStasis(CHANNEL, "app");
    callContexts.hangUp(CHANNEL);
    callContexts.rememberIfNew(BRIDGE, "call");

    CallContexts next = next();

    assertThat(next.of(CHANNEL)).contains("call");
    assertThat(next.of(BRIDGE)).contains("call");
    Mapping channel = next.mapping(CHANNEL).orElseThrow();
    assertThat(channel.application()).isEqualTo("app");
    assertThat(channel.created()).isTrue();
    assertThat(channel.hungUp()).isTrue();
    assertThat(next.mapping(BRIDGE).orElseThrow().created()).isFalse();
  }

  @Test
  void theEndOfAResourceRemovesItsMapping() throws Exception {
    callContexts.rememberIfNew(CHANNEL, "call");
    callContexts.rememberIfNew(BRIDGE, "call");
    callContexts.awaitKept();
    callContexts.end(CHANNEL);
    callContexts.awaitKept();
    assertThat(store.kept()).containsOnlyKeys("BRIDGE:b");
    assertThat(callContexts.of(CHANNEL)).as("late events may still ask").contains("call");
  }

  @Test
  void whatIsEvictedIsNotKept() throws Exception {
    callContexts.rememberIfNew(CHANNEL, "call");
    callContexts.rememberIfNew(BRIDGE, "call");
    callContexts.awaitKept();
    callContexts.evict(CHANNEL);
    callContexts.awaitKept();
    assertThat(store.kept()).containsOnlyKeys("BRIDGE:b");
    callContexts.evictAllOf("call");
    callContexts.awaitKept();
    assertThat(store.kept()).isEmpty();
  }

  @Test
  void whatWasNotCreatedIsNotKept() throws Exception {
    callContexts.undo(callContexts.register(CHANNEL, "call", false).orElseThrow());
    callContexts.awaitKept();
    assertThat(store.kept()).isEmpty();
  }

  @Test
  void whatIsForgottenForItsIdleTimeIsForgottenByTheStoreAsWell() {
    callContexts.rememberIfNew(CHANNEL, "call");
    await().untilAsserted(() -> assertThat(store.kept()).isNotEmpty());
    ticker.pass(IDLE.plusSeconds(1));
    callContexts.cache().cleanUp();
    await().untilAsserted(() -> assertThat(store.kept()).isEmpty());
  }

  @Test
  void aCallThatLastsLongerThanIdleTimeIsKeptAsLongAsItIsAskedFor() throws Exception {
    callContexts.rememberIfNew(CHANNEL, "call");
    for (int i = 0; i < 10; i++) {
      now = now.plus(IDLE.dividedBy(2));
      ticker.pass(IDLE.dividedBy(2));
      assertThat(callContexts.of(CHANNEL)).contains("call");
    }
    assertThat(next().of(CHANNEL)).contains("call");
  }

  @Test
  void aBridgeThatIsInUseForLongerThanIdleTimeIsKeptAlthoughOnlyItsChannelsAreAskedFor()
      throws Exception {
    for (int i = 0; i < 10; i++) {
      callContexts.rememberIfNew(BRIDGE, "call");
      now = now.plus(IDLE.dividedBy(2));
      ticker.pass(IDLE.dividedBy(2));
    }
    callContexts.rememberIfNew(BRIDGE, "call");
    assertThat(next().of(BRIDGE)).contains("call");
  }

  @Test
  void whatAKilledProcessWasAboutToCreateIsItsCommandsAgainWhenThatIsRepeated() throws Exception {
    callContexts.register(CHANNEL, "call", false);

    CallContexts next = next();
    assertThat(next.register(CHANNEL, "another call", false)).isEmpty();
    Registration again = next.register(CHANNEL, "call", false).orElseThrow();
    assertThat(again.repeated()).isTrue();
    next.undo(again);
    assertThat(next.of(CHANNEL)).isEmpty();
  }

  @Test
  void whatEndedWhileItsSuccessorWasRefusedStaysEnded() {
    callContexts.rememberIfNew(CHANNEL, "call");
    Registration refused = callContexts.register(CHANNEL, "call", true).orElseThrow();
    callContexts.end(CHANNEL);
    callContexts.undo(refused);
    assertThat(callContexts.mapping(CHANNEL).orElseThrow().ended()).isTrue();
  }

  @Test
  void whatNobodyHasAskedForWhileNoProcessWasThereIsForgotten() throws Exception {
    callContexts.rememberIfNew(CHANNEL, "call");
    callContexts.awaitKept();
    now = now.plus(IDLE).plusSeconds(1);
    assertThat(next().of(CHANNEL)).isEmpty();
    behind.awaitAcknowledged();
    assertThat(store.kept()).isEmpty();
  }

  @Test
  void anEventThatChangesNothingWritesNothing() throws Exception {
    callContexts.rememberIfNew(CHANNEL, "call");
    callContexts.awaitKept();
    for (int i = 0; i < 100; i++) {
      callContexts.of(CHANNEL);
      callContexts.rememberIfNew(CHANNEL, "call");
      callContexts.follow(CHANNEL, "call");
    }
    callContexts.awaitKept();
    assertThat(store.batches()).hasSize(1);
  }

  @Test
  void whatIsNoMappingIsLeftOut() {
    callContexts.restore("CHANNEL:c", "no JSON");
    callContexts.restore("CHANNEL:d", "{}");
    callContexts.restore(
        "NOTHING:e", "{\"callContext\":\"call\",\"usedAt\":" + now.getEpochSecond() + "}");
    assertThat(callContexts.cache().asMap()).isEmpty();
  }

  @Test
  void aFieldThatALaterVersionKeepsIsNoObstacle() {
    callContexts.restore(
        "CHANNEL:c",
        "{\"callContext\":\"call\",\"later\":[1],\"usedAt\":" + now.getEpochSecond() + "}");
    assertThat(callContexts.of(CHANNEL)).contains("call");
  }

  private CallContexts next() throws Exception {
    callContexts.awaitKept();
    CallContexts next = callContexts();
    Map<String, String> kept = store.kept();
    kept.forEach(next::restore);
    next.restored();
    return next;
  }
}
