// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.store.FakeStore;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mappings that survive a restart (docs/contract.md#mapping). */
class PersistedMappingsTest {

  private static final Duration IDLE_TIMEOUT = Duration.ofHours(4);
  private static final Duration GRACE_PERIOD = Duration.ofMinutes(1);
  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");
  private static final Resource BRIDGE = new Resource(ResourceType.BRIDGE, "b");

  private final FakeTicker ticker = new FakeTicker();
  private final FakeStore store = new FakeStore();
  private final WriteBehind writeBehind =
      new WriteBehind(store, Duration.ofSeconds(5), new SimpleMeterRegistry());
  private Instant now = Instant.parse("2026-11-25T12:00:00Z");
  private final CallContexts callContexts = callContexts();

  private CallContexts callContexts() {
    return callContexts(Long.MAX_VALUE / 2);
  }

  private CallContexts callContexts(long maxBytes) {
    return new CallContexts(IDLE_TIMEOUT, GRACE_PERIOD, ticker, writeBehind, () -> now, maxBytes);
  }

  @BeforeEach
  void start() {
    writeBehind.start();
  }

  @AfterEach
  void stop() {
    writeBehind.stop();
  }

  @Test
  void mappingsSurviveRestart() throws Exception {
    callContexts.register(CHANNEL, "call", false);
    callContexts.confirm(CHANNEL);
    callContexts.enterStasis(CHANNEL, "app");
    callContexts.hangUp(CHANNEL);
    callContexts.assignIfAbsent(BRIDGE, "call");

    CallContexts next = restart();

    assertThat(next.lookup(CHANNEL)).contains("call");
    assertThat(next.lookup(BRIDGE)).contains("call");
    Mapping channel = next.mapping(CHANNEL).orElseThrow();
    assertThat(channel.application()).isEqualTo("app");
    assertThat(channel.created()).isTrue();
    assertThat(channel.state()).isEqualTo(MappingState.HUNG_UP);
    assertThat(next.mapping(BRIDGE).orElseThrow().created()).isFalse();
  }

  @Test
  void endedMappingIsDeletedFromStore() throws Exception {
    callContexts.assignIfAbsent(CHANNEL, "call");
    callContexts.assignIfAbsent(BRIDGE, "call");
    callContexts.awaitPersisted();
    callContexts.end(CHANNEL);
    callContexts.awaitPersisted();
    assertThat(store.stored()).containsOnlyKeys("BRIDGE:b");
    assertThat(callContexts.lookup(CHANNEL)).as("available to late events").contains("call");
  }

  @Test
  void evictedMappingsAreDeletedFromStore() throws Exception {
    callContexts.assignIfAbsent(CHANNEL, "call");
    callContexts.assignIfAbsent(BRIDGE, "call");
    callContexts.awaitPersisted();
    callContexts.evict(CHANNEL);
    callContexts.awaitPersisted();
    assertThat(store.stored()).containsOnlyKeys("BRIDGE:b");
    callContexts.evictAllOf("call");
    callContexts.awaitPersisted();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void rolledBackRegistrationIsNotPersisted() throws Exception {
    callContexts.rollback(callContexts.register(CHANNEL, "call", false).orElseThrow());
    callContexts.awaitPersisted();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void idleMappingIsDeletedFromStore() {
    callContexts.assignIfAbsent(CHANNEL, "call");
    await().untilAsserted(() -> assertThat(store.stored()).isNotEmpty());
    ticker.advance(IDLE_TIMEOUT.plusSeconds(1));
    callContexts.cache().cleanUp();
    await().untilAsserted(() -> assertThat(store.stored()).isEmpty());
  }

  @Test
  void lookupsPreventExpiryOfStoredMapping() throws Exception {
    callContexts.assignIfAbsent(CHANNEL, "call");
    for (int i = 0; i < 10; i++) {
      now = now.plus(IDLE_TIMEOUT.dividedBy(2));
      ticker.advance(IDLE_TIMEOUT.dividedBy(2));
      assertThat(callContexts.lookup(CHANNEL)).contains("call");
    }
    assertThat(restart().lookup(CHANNEL)).contains("call");
  }

  @Test
  void repeatedAssignmentPreventsExpiryOfStoredMapping() throws Exception {
    for (int i = 0; i < 10; i++) {
      callContexts.assignIfAbsent(BRIDGE, "call");
      now = now.plus(IDLE_TIMEOUT.dividedBy(2));
      ticker.advance(IDLE_TIMEOUT.dividedBy(2));
    }
    callContexts.assignIfAbsent(BRIDGE, "call");
    assertThat(restart().lookup(BRIDGE)).contains("call");
  }

  @Test
  void repeatedCommandReclaimsPendingRegistrationAfterRestart() throws Exception {
    callContexts.register(CHANNEL, "call", false);

    CallContexts next = restart();
    assertThat(next.register(CHANNEL, "another call", false)).isEmpty();
    Registration repeated = next.register(CHANNEL, "call", false).orElseThrow();
    assertThat(repeated.isRepeated()).isTrue();
    next.rollback(repeated);
    assertThat(next.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void rollbackPreservesEndOfReplacedResource() {
    callContexts.assignIfAbsent(CHANNEL, "call");
    Registration rejected = callContexts.register(CHANNEL, "call", true).orElseThrow();
    callContexts.end(CHANNEL);
    callContexts.rollback(rejected);
    assertThat(callContexts.mapping(CHANNEL).orElseThrow().ended()).isTrue();
  }

  @Test
  void restoreDropsAndDeletesExpiredMappings() throws Exception {
    callContexts.assignIfAbsent(CHANNEL, "call");
    callContexts.awaitPersisted();
    now = now.plus(IDLE_TIMEOUT).plusSeconds(1);
    assertThat(restart().lookup(CHANNEL)).isEmpty();
    writeBehind.awaitAcknowledged();
    assertThat(store.stored()).isEmpty();
  }

  @Test
  void unchangedMappingIsWrittenOnce() throws Exception {
    callContexts.assignIfAbsent(CHANNEL, "call");
    callContexts.awaitPersisted();
    for (int i = 0; i < 100; i++) {
      callContexts.lookup(CHANNEL);
      callContexts.assignIfAbsent(CHANNEL, "call");
      callContexts.observe(CHANNEL, "call");
    }
    callContexts.awaitPersisted();
    assertThat(store.batches()).hasSize(1);
  }

  @Test
  void lateEventsBelongToTheirResourceAfterRestart() throws Exception {
    Resource earlier = new Resource(CHANNEL.type(), CHANNEL.id(), "earlier");
    callContexts.assignIfAbsent(earlier, "one");
    callContexts.awaitPersisted();

    CallContexts next = restart();
    next.replace(new Resource(CHANNEL.type(), CHANNEL.id(), "later"), "two");

    assertThat(next.lookup(earlier)).contains("one");
    assertThat(next.lookup(CHANNEL)).contains("two");
  }

  @Test
  void restoreIgnoresMalformedMappings() {
    callContexts.restore("CHANNEL:c", "not JSON");
    callContexts.restore("CHANNEL:d", "{}");
    callContexts.restore(
        "NOTHING:e", "{\"callContext\":\"call\",\"usedAt\":" + now.getEpochSecond() + "}");
    assertThat(callContexts.cache().asMap()).isEmpty();
  }

  /** No proxy has written them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'callContext':1,'usedAt':SECONDS}",
        "{'callContext':['call'],'usedAt':SECONDS}",
        "{'callContext':null,'usedAt':SECONDS}",
        "{'callContext':'call','usedAt':'x'}",
        "{'callContext':'call','usedAt':99999999999999999999}",
        "{'callContext':'call','usedAt':{}}",
        "{'callContext':'call','created':'x','usedAt':SECONDS}",
        "{'callContext':'call','usedAt':SECONDS",
        "{'callContext':'call','usedAt':SECONDS]",
        "['call']",
        "1",
      })
  void restoresNoFieldOfAnotherType(String value) throws Exception {
    String stored = value.replace('\'', '"').replace("SECONDS", "" + now.getEpochSecond());
    callContexts.restore("CHANNEL:c", stored);
    callContexts.completeRestore();
    assertThat(callContexts.cache().asMap()).isEmpty();
    callContexts.awaitPersisted();
    assertThat(store.batches()).as("malformed values remain in the store").isEmpty();
  }

  /** A clock can have been ahead. */
  @Test
  void restoresFutureTimeOfLastUseAsNow() {
    for (long future : List.of(now.plus(Duration.ofDays(1)).getEpochSecond(), Long.MAX_VALUE)) {
      callContexts.restore("CHANNEL:c", storedAt(future));
      assertThat(callContexts.mapping(CHANNEL).orElseThrow().usedAt())
          .isEqualTo(now.getEpochSecond());
    }
  }

  @Test
  void restoresNoMappingLastUsedBeforeIdleTimeout() {
    long expired = now.minus(IDLE_TIMEOUT).getEpochSecond();
    for (long usedAt : List.of(expired, 0L, -1L, Long.MIN_VALUE)) {
      callContexts.restore("CHANNEL:c", storedAt(usedAt));
      assertThat(callContexts.mapping(CHANNEL)).as("used at %d", usedAt).isEmpty();
    }
    callContexts.restore("CHANNEL:c", storedAt(expired + 1));
    assertThat(callContexts.mapping(CHANNEL)).isPresent();
  }

  @Test
  void restoreReplacesEarlierValues() {
    callContexts.restore("CHANNEL:c", stored("one"));
    callContexts.restore("CHANNEL:d", stored("one"));
    callContexts.restore("CHANNEL:c", stored("two"));
    callContexts.restore("CHANNEL:d", null);

    assertThat(callContexts.cache().asMap()).containsOnlyKeys("CHANNEL:c");
    assertThat(callContexts.lookup(CHANNEL)).contains("two");
  }

  @Test
  void restoreEndsMappingWhoseLastValueIsMalformed() {
    for (String malformed : List.of("not JSON", "{}", "null", "[]", "")) {
      callContexts.restore("CHANNEL:c", stored("outdated"));
      callContexts.restore("CHANNEL:c", malformed);
      assertThat(callContexts.cache().asMap()).as(malformed).isEmpty();
    }
  }

  /** No proxy has written it. */
  @ParameterizedTest
  @ValueSource(strings = {"callContext", "application", "instance"})
  void restoresNoTextThatIsTooLong(String field) {
    String value = "{'callContext':'call','usedAt':%d,'%s':'%s'}".replace('\'', '"');
    String longest = "x".repeat(Resource.MAX_ID_LENGTH);
    callContexts.restore("CHANNEL:1", value.formatted(now.getEpochSecond(), field, longest));
    callContexts.restore("CHANNEL:2", value.formatted(now.getEpochSecond(), field, longest + "x"));
    assertThat(callContexts.cache().asMap()).containsOnlyKeys("CHANNEL:1");
  }

  /** Nothing would compare it with Asterisk, or end it. */
  @Test
  void restoresNoKeyOfOtherResources() {
    for (String key :
        List.of(
            "#x",
            "APPLICATION:a",
            "DEVICE:d",
            "ENDPOINT:PJSIP/e",
            "MAILBOX:m",
            "SNOOPING:s",
            "CHANNEL:",
            "CHANNEL:" + "x".repeat(Resource.MAX_ID_LENGTH + 1))) {
      callContexts.restore(key, stored("call"));
      assertThat(callContexts.cache().asMap()).as(key).isEmpty();
    }
    String longest = "CHANNEL:" + "x".repeat(Resource.MAX_ID_LENGTH);
    callContexts.restore(longest, stored("call"));
    assertThat(callContexts.cache().asMap()).containsOnlyKeys(longest);
  }

  @Test
  void restoreCountsMalformedLastValuesInOneLine() throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      for (int i = 0; i < 3; i++) {
        callContexts.restore("CHANNEL:" + i, "not JSON");
        callContexts.restore("CHANNEL:" + i, "{}");
      }
      callContexts.restore("CHANNEL:0", stored("one"));
      callContexts.restore("CHANNEL:1", null);
      assertThat(callContexts.completeRestore()).isTrue();
      assertThat(log.proxyEvents())
          .extracting(event -> event.getFormattedMessage())
          .containsExactly(
              "1 mappings of the call-context store are malformed and not restored, such as"
                  + " CHANNEL:2: call context is missing");
    }
    callContexts.awaitPersisted();
    assertThat(store.batches()).isEmpty();
  }

  /** A topic that is not compacted yet contains mappings that have ended. */
  @Test
  void mappingsThatHaveEndedTakeNoPlace() {
    CallContexts limited = callContexts(10 * MappingHeap.TYPICAL_BYTES);
    Map<String, String> values = new LinkedHashMap<>();
    IntStream.range(0, 100).forEach(i -> values.put("CHANNEL:ended" + i, stored("call")));
    IntStream.range(0, 5).forEach(i -> values.put("CHANNEL:active" + i, stored("call")));
    IntStream.range(0, 100).forEach(i -> values.put("CHANNEL:ended" + i + " ", null));
    try (CapturedLog log = new CapturedLog()) {
      int passes = 0;
      do {
        values.forEach((key, value) -> limited.restore(key.strip(), value));
        passes++;
      } while (!limited.completeRestore());

      assertThat(passes).isEqualTo(2);
      assertThat(limited.all())
          .hasSize(5)
          .allSatisfy((resource, mapping) -> assertThat(resource.id()).startsWith("active"));
      assertThat(log.proxyEvents()).isEmpty();
    }
  }

  /** The previous value would send its events to the wrong call. */
  @Test
  void restoreKeepsNoPreviousValueOfMappingThatDoesNotFit() {
    CallContexts limited = callContexts(10 * MappingHeap.TYPICAL_BYTES);
    IntStream.range(0, 8).forEach(i -> limited.restore("CHANNEL:" + i, stored("call")));
    limited.restore("CHANNEL:0", stored("moved" + "x".repeat(1_000)));
    try (CapturedLog log = new CapturedLog()) {
      while (!limited.completeRestore()) {
        limited.restore("CHANNEL:0", stored("moved" + "x".repeat(1_000)));
      }
      assertThat(limited.all()).hasSize(7);
      assertThat(limited.lookup(new Resource(ResourceType.CHANNEL, "0"))).isEmpty();
      assertThat(log.proxyEvents())
          .singleElement()
          .satisfies(
              event ->
                  assertThat(event.getFormattedMessage())
                      .isEqualTo(
                          "The heap for mappings (0 MB) is full: 1 mappings of the call-context"
                              + " store not restored; set a larger -Xmx and restart"));
    }
  }

  @Test
  void restoreStopsAtLimit() throws Exception {
    CallContexts limited = callContexts(10 * MappingHeap.TYPICAL_BYTES);
    for (int i = 0; i < 30; i++) {
      limited.restore("CHANNEL:" + i, stored("call"));
    }
    limited.restore("CHANNEL:0", null);
    limited.restore("CHANNEL:30", stored("call"));
    limited.completeRestore();

    assertThat(limited.all()).hasSize(8).containsKey(new Resource(ResourceType.CHANNEL, "30"));
    assertThat(limited.fullness()).isPresent();
    limited.awaitPersisted();
    assertThat(store.batches()).isEmpty();
  }

  /** During an outage of the store, ended mappings occupy heap until their deletion is written. */
  @Test
  void pendingWritesAreLimited() throws Exception {
    CallContexts limited = callContexts(100 * MappingHeap.TYPICAL_BYTES);
    store.failing(true);
    for (int i = 0; i < 1_000; i++) {
      Resource channel = new Resource(ResourceType.CHANNEL, "c" + i);
      limited.assignIfAbsent(channel, "call");
      limited.end(channel);
      ticker.advance(GRACE_PERIOD.plusSeconds(1));
    }
    limited.cache().cleanUp();
    assertThat(limited.all()).isEmpty();
    assertThat(limited.refused()).isPositive();
    assertThat(limited.heapBytes())
        .isBetween(90L * MappingHeap.TYPICAL_BYTES, 110L * MappingHeap.TYPICAL_BYTES);

    store.failing(false);
    Awaitility.await("written").until(() -> limited.heapBytes() == 0);
    assertThat(limited.fullness()).isEmpty();
  }

  private static String storedAt(long usedAt) {
    return "{\"callContext\":\"call\",\"usedAt\":" + usedAt + "}";
  }

  private String stored(String callContext) {
    return "{\"callContext\":\"" + callContext + "\",\"usedAt\":" + now.getEpochSecond() + "}";
  }

  /** Proxies of other versions read and write these fields. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          PENDING         | {"callContext":"call","application":"app","created":true,"pending":true,"usedAt":SECONDS}
          PENDING_HUNG_UP | {"callContext":"call","application":"app","created":true,"pending":true,"hungUp":true,"usedAt":SECONDS}
          ACTIVE          | {"callContext":"call","application":"app","created":true,"usedAt":SECONDS}
          HUNG_UP         | {"callContext":"call","application":"app","created":true,"hungUp":true,"usedAt":SECONDS}
          """)
  void storedFormIsStable(MappingState state, String json) throws Exception {
    String stored = json.replace("SECONDS", Long.toString(now.getEpochSecond()));

    callContexts.restore("CHANNEL:c", stored);
    assertThat(callContexts.mapping(CHANNEL))
        .contains(new Mapping("call", null, "app", true, state, now.getEpochSecond(), ""));

    // use after a while is written
    now = now.plus(IDLE_TIMEOUT.dividedBy(2));
    callContexts.lookup(CHANNEL);
    callContexts.awaitPersisted();
    assertThat(store.stored())
        .containsEntry("CHANNEL:c", json.replace("SECONDS", Long.toString(now.getEpochSecond())));
  }

  @Test
  void restoreIgnoresUnknownFields() {
    callContexts.restore(
        "CHANNEL:c",
        "{\"callContext\":\"call\",\"later\":[1],\"usedAt\":" + now.getEpochSecond() + "}");
    assertThat(callContexts.lookup(CHANNEL)).contains("call");
  }

  private CallContexts restart() throws Exception {
    callContexts.awaitPersisted();
    CallContexts next = callContexts();
    Map<String, String> stored = store.stored();
    stored.forEach(next::restore);
    next.completeRestore();
    return next;
  }
}
