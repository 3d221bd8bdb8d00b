// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.time.Duration;
import java.time.InstantSource;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

/** The heap of mappings is limited (docs/contract.md#mapping-limit). */
class MappingLimitTest {

  private static final int MAPPINGS = 100;
  private static final long LIMIT = (long) MAPPINGS * MappingHeap.TYPICAL_BYTES;
  private static final Duration GRACE_PERIOD = Duration.ofMinutes(1);

  /** Its mapping to {@link #CALL} has a typical size. */
  private static final String ID_PADDING = "-".repeat(30);

  private static final String CALL = "0b4d8c2e-8d0a-4b3e-9f57-1c2d3e4f5a6b";

  private static final String LONG = "x".repeat(Resource.MAX_ID_LENGTH);

  private final FakeTicker ticker = new FakeTicker();
  private final CallContexts callContexts =
      new CallContexts(
          Duration.ofHours(1),
          GRACE_PERIOD,
          ticker,
          WriteBehind.noop(new SimpleMeterRegistry()),
          InstantSource.system(),
          LIMIT);
  private final CallContextRules rules = new CallContextRules(callContexts);

  @Test
  void newResourcesAreNotMappedAtLimit() {
    fill();
    assertThat(callContexts.all()).hasSize(MAPPINGS);
    assertThat(callContexts.fullness()).isPresent();

    assertThat(callContexts.assignIfAbsent(channel("new"), CALL)).isEqualTo(CALL);
    assertThat(callContexts.observe(channel("new"), CALL)).isEqualTo(CALL);
    assertThat(callContexts.move(channel("new"), CALL)).isEqualTo(CALL);
    callContexts.replace(channel("new"), CALL);
    assertThatThrownBy(() -> callContexts.register(channel("new"), CALL, false))
        .isInstanceOf(MappingLimitException.class)
        .hasMessage("The heap for mappings (0 MB) is full");
    assertThatThrownBy(() -> callContexts.registerClaim(channel("new"), CALL))
        .isInstanceOf(MappingLimitException.class);

    assertThat(callContexts.lookup(channel("new"))).isEmpty();
    assertThat(callContexts.refused()).isEqualTo(6);
    assertThat(callContexts.heapBytes()).isEqualTo(LIMIT);
  }

  @Test
  void eventsOfMappedCallsContinueAtLimit() {
    fill();

    MappedEvent start = event("StasisStart", "1");
    MappedEvent digit = event("ChannelDtmfReceived", "1");
    MappedEvent unknown = event("ChannelDtmfReceived", "unknown");
    MappedEvent newCall = event("StasisStart", "new");
    MappedEvent digitOfNewCall = event("ChannelDtmfReceived", "new");

    assertThat(start.callContext()).isEqualTo(CALL);
    assertThat(digit.callContext()).isEqualTo(CALL);
    assertThat(unknown.unmapped()).isTrue();
    assertThat(newCall.callContext()).isNotNull();
    assertThat(digitOfNewCall.unmapped()).isTrue();
    assertThat(callContexts.mapping(channel("1")).orElseThrow().application()).isEqualTo("app");
  }

  @Test
  void endedMappingsGiveRoom() {
    fill();
    callContexts.end(channel("0"));
    callContexts.assignIfAbsent(channel("new"), CALL);
    assertThat(callContexts.lookup(channel("new"))).isEmpty();

    ticker.advance(GRACE_PERIOD.plusSeconds(1));

    // no other change removes the expired mapping
    callContexts.assignIfAbsent(channel("new"), CALL);
    assertThat(callContexts.lookup(channel("new"))).contains(CALL);
    assertThat(callContexts.heapBytes()).isEqualTo(LIMIT);
  }

  @Test
  void longIdsCountWithTheirLength() {
    for (int i = 0; i < MAPPINGS; i++) {
      callContexts.assignIfAbsent(new Resource(ResourceType.CHANNEL, i + LONG.substring(10)), LONG);
    }
    assertThat(callContexts.all()).hasSizeBetween(1, MAPPINGS / 40);
    assertThat(callContexts.heapBytes()).isLessThanOrEqualTo(LIMIT);
  }

  @Test
  void existingMappingsGrowByAnEighth() {
    fill();
    for (int i = 0; i < MAPPINGS; i++) {
      callContexts.move(channel(Integer.toString(i)), LONG.substring(3_000));
    }
    assertThat(callContexts.all()).hasSize(MAPPINGS);
    assertThat(callContexts.heapBytes()).isBetween(LIMIT, LIMIT + LIMIT / 8);

    callContexts.evictAllOf(CALL);
    for (int i = 0; i < MAPPINGS; i++) {
      callContexts.evict(channel(Integer.toString(i)));
    }
    assertThat(callContexts.heapBytes()).isZero();
    assertThat(callContexts.fullness()).isEmpty();
  }

  /** A writer of the store can invent any number of keys. */
  @Test
  void remembersMalformedKeysWithinLimit() {
    try (CapturedLog log = new CapturedLog()) {
      for (int i = 0; i < 100 * MAPPINGS; i++) {
        callContexts.restore("CHANNEL:" + i, "malformed");
      }
      assertThat(callContexts.completeRestore()).isTrue();
      assertThat(log.lines(Level.WARN))
          .singleElement(InstanceOfAssertFactories.STRING)
          .matches("more than \\d{3} mappings of the call-context store are malformed .*");
    }
  }

  private void fill() {
    for (int i = 0; i < MAPPINGS; i++) {
      callContexts.assignIfAbsent(channel(Integer.toString(i)), CALL);
    }
  }

  private MappedEvent event(String type, String channel) {
    return rules.map(
        AriEvent.parse(
            "{\"type\":\"%s\",\"application\":\"app\",\"channel\":{\"id\":\"%s\",\"creationtime\":\"now\"}}"
                .formatted(type, channel(channel).id())));
  }

  private static Resource channel(String id) {
    return new Resource(ResourceType.CHANNEL, id + ID_PADDING.substring(id.length()));
  }
}
