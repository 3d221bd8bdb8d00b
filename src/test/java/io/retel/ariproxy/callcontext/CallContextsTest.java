// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Lifetime and changes of mappings. */
class CallContextsTest {

  private static final Duration IDLE_TIMEOUT = Duration.ofHours(1);
  private static final Duration GRACE_PERIOD = Duration.ofMinutes(1);
  private static final Duration MOMENT = Duration.ofSeconds(1);
  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");
  private static final Resource PLAYBACK_ON_A =
      new Resource(ResourceType.PLAYBACK, "p", "channel:a");
  private static final Resource PLAYBACK_ON_B =
      new Resource(ResourceType.PLAYBACK, "p", "channel:b");

  private final FakeTicker clock = new FakeTicker();
  private final CallContexts callContexts = new CallContexts(IDLE_TIMEOUT, GRACE_PERIOD, clock);

  @Test
  void idleMappingExpires() {
    callContexts.move(CHANNEL, "one");
    clock.advance(IDLE_TIMEOUT.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void lookupsPreventExpiry() {
    callContexts.move(CHANNEL, "one");
    for (int i = 0; i < 100; i++) {
      clock.advance(IDLE_TIMEOUT.minus(MOMENT));
      assertThat(callContexts.lookup(CHANNEL)).contains("one");
    }
  }

  @Test
  void assignRegisterAndMovePreventExpiry() {
    callContexts.move(CHANNEL, "one");
    clock.advance(IDLE_TIMEOUT.minus(MOMENT));
    callContexts.assignIfAbsent(CHANNEL, "two");
    clock.advance(IDLE_TIMEOUT.minus(MOMENT));
    callContexts.register(CHANNEL, "three", false);
    clock.advance(IDLE_TIMEOUT.minus(MOMENT));
    callContexts.move(CHANNEL, "one");
    clock.advance(IDLE_TIMEOUT.minus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  @Test
  void endedMappingExpiresAfterGracePeriod() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    clock.advance(GRACE_PERIOD.minus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
    clock.advance(MOMENT.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void useDoesNotExtendGracePeriod() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    clock.advance(GRACE_PERIOD.minus(MOMENT));
    callContexts.lookup(CHANNEL);
    callContexts.assignIfAbsent(CHANNEL, "two");
    callContexts.observe(CHANNEL, "one");
    callContexts.move(CHANNEL, "one");
    clock.advance(MOMENT.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void ignoresEndOfUnknownResource() {
    callContexts.end(CHANNEL);
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void moveReplacesCallContext() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    assertThat(callContexts.lookup(CHANNEL)).contains("two");
  }

  @Test
  void observeMovesToShownCallContext() {
    assertThat(callContexts.observe(CHANNEL, "one")).isEqualTo("one");
    assertThat(callContexts.observe(CHANNEL, "two")).isEqualTo("two");
    assertThat(callContexts.observe(CHANNEL, "one")).isEqualTo("one");
  }

  @Test
  void observeIgnoresPreviousCallContextAfterMove() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    assertThat(callContexts.observe(CHANNEL, "one")).isEqualTo("two");
    assertThat(callContexts.observe(CHANNEL, "three")).isEqualTo("three");
  }

  @Test
  void observeMovesBackOnceMoveIsShown() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    callContexts.observe(CHANNEL, "two");
    assertThat(callContexts.observe(CHANNEL, "one")).isEqualTo("one");
  }

  @Test
  void assignIfAbsentPreservesExistingMapping() {
    callContexts.assignIfAbsent(CHANNEL, "one");
    callContexts.assignIfAbsent(CHANNEL, "two");
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  @Test
  void registerPreservesActiveResource() {
    callContexts.register(CHANNEL, "one", false);
    callContexts.register(CHANNEL, "two", false);
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  @Test
  void registerReplacesEndedResource() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    callContexts.register(CHANNEL, "two", false);
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("two");
  }

  @Test
  void rollbackRemovesRegistration() {
    Registration registration = callContexts.register(CHANNEL, "one", false).orElseThrow();
    callContexts.rollback(registration);
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void rollbackRestoresReplacedMapping() {
    callContexts.move(CHANNEL, "one");
    Registration registration = callContexts.register(CHANNEL, "two", true).orElseThrow();
    assertThat(callContexts.lookup(CHANNEL)).contains("two");
    callContexts.rollback(registration);
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  /** Two calls play with one id at once. */
  @Test
  void confirmPreservesPlaybackOfAnotherCall() {
    callContexts.register(PLAYBACK_ON_A, "one", true);
    callContexts.register(PLAYBACK_ON_B, "two", true);
    callContexts.confirm(PLAYBACK_ON_A);
    assertThat(callContexts.lookup(PLAYBACK_ON_A)).contains("one");
    assertThat(callContexts.lookup(PLAYBACK_ON_B)).contains("two");
    assertThat(callContexts.mapping(PLAYBACK_ON_B).orElseThrow().pending()).isTrue();

    callContexts.confirm(PLAYBACK_ON_B);
    callContexts.end(PLAYBACK_ON_A);
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(PLAYBACK_ON_B)).contains("two");
  }

  @Test
  void rollbackRestoresPlaybackOfAnotherCall() {
    callContexts.register(PLAYBACK_ON_A, "one", true);
    Registration rejected = callContexts.register(PLAYBACK_ON_B, "two", true).orElseThrow();
    callContexts.confirm(PLAYBACK_ON_A);
    assertThat(rejected.isRepeated()).isFalse();
    callContexts.rollback(rejected);
    assertThat(callContexts.active()).containsOnlyKeys(PLAYBACK_ON_A);
    assertThat(callContexts.lookup(PLAYBACK_ON_A)).contains("one");
  }

  @Test
  void rollbackPreservesLaterMove() {
    Registration registration = callContexts.register(CHANNEL, "one", false).orElseThrow();
    callContexts.move(CHANNEL, "two");
    callContexts.rollback(registration);
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("two");
  }

  @Test
  void registerReturnsEmptyForActiveResource() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.register(CHANNEL, "two", false)).isEmpty();
  }

  @Test
  void hungUpChannelEndsOnLeavingStasis() {
    callContexts.move(CHANNEL, "one");
    callContexts.leaveStasis(CHANNEL, "app");
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    callContexts.hangUp(CHANNEL);
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    callContexts.leaveStasis(CHANNEL, "app");
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void rollbackRemovesChannelEndedWhilePending() {
    endWhilePending();
    Registration other = callContexts.register(CHANNEL, "two", false).orElseThrow();
    callContexts.rollback(other);
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void movePreservesPendingStateOfEndedChannel() {
    endWhilePending();
    callContexts.move(CHANNEL, "two");
    assertThat(callContexts.active()).isEmpty();
    callContexts.confirm(CHANNEL);
    assertThat(callContexts.active()).containsOnlyKeys(CHANNEL);
  }

  @Test
  void confirmPreservesEndOfPendingChannel() {
    endWhilePending();
    callContexts.confirm(CHANNEL);
    assertThat(callContexts.active()).isEmpty();
    Registration other = callContexts.register(CHANNEL, "two", false).orElseThrow();
    callContexts.rollback(other);
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  /** The channel is hung up and leaves Stasis before the response to its command. */
  private void endWhilePending() {
    callContexts.register(CHANNEL, "one", false);
    callContexts.hangUp(CHANNEL);
    callContexts.leaveStasis(CHANNEL, "app");
  }

  @Test
  void restartWithinGracePeriodPreservesMapping() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    callContexts.start(CHANNEL);
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  @Test
  void reusedChannelIdIsNotHungUp() {
    callContexts.move(CHANNEL, "one");
    callContexts.hangUp(CHANNEL);
    callContexts.end(CHANNEL);
    callContexts.start(CHANNEL);
    callContexts.leaveStasis(CHANNEL, "app");
    clock.advance(GRACE_PERIOD.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).contains("one");
  }

  @Test
  void snoopChannelSharesChannelKey() {
    callContexts.move(new Resource(ResourceType.SNOOPING, "s"), "one");
    assertThat(callContexts.lookup(new Resource(ResourceType.CHANNEL, "s"))).contains("one");
  }

  @Test
  void sameIdOfAnotherTypeIsDistinct() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.lookup(new Resource(ResourceType.BRIDGE, "c"))).isEmpty();
  }

  @Test
  void cacheIsKeyedByResourceKey() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.cache().getIfPresent("CHANNEL:c").callContext()).isEqualTo("one");
  }

  @Test
  void findsByPrefixOfCallContextKeyOrId() {
    Resource bridge = new Resource(ResourceType.BRIDGE, "conf");
    callContexts.move(CHANNEL, "one");
    callContexts.move(bridge, "one");
    callContexts.move(new Resource(ResourceType.CHANNEL, "x"), "two");
    assertThat(callContexts.find("on", 10)).containsOnlyKeys(CHANNEL, bridge);
    assertThat(callContexts.find("CHANNEL:c", 10)).containsOnlyKeys(CHANNEL);
    assertThat(callContexts.find("co", 10)).containsOnlyKeys(bridge);
    assertThat(callContexts.find("HANNEL", 10)).isEmpty();
    assertThat(callContexts.find("", 10)).hasSize(3);
    assertThat(callContexts.find("", 2)).hasSize(2);
  }

  @Test
  void peekAndFindDoNotPreventExpiry() {
    callContexts.move(CHANNEL, "one");
    clock.advance(IDLE_TIMEOUT.minus(MOMENT));
    assertThat(callContexts.peek(CHANNEL)).isPresent();
    assertThat(callContexts.find("one", 10)).hasSize(1);
    clock.advance(MOMENT.plus(MOMENT));
    assertThat(callContexts.lookup(CHANNEL)).isEmpty();
  }

  @Test
  void evictsResourceOrWholeCallContext() {
    Resource bridge = new Resource(ResourceType.BRIDGE, "conf");
    callContexts.move(CHANNEL, "one");
    callContexts.move(bridge, "one");
    callContexts.move(new Resource(ResourceType.CHANNEL, "x"), "two");
    assertThat(callContexts.evict(CHANNEL).orElseThrow().callContext()).isEqualTo("one");
    assertThat(callContexts.evict(CHANNEL)).isEmpty();
    assertThat(callContexts.evictAllOf("one")).containsExactly(bridge);
    assertThat(callContexts.activeCallContexts()).containsExactly("two");
  }

  @Test
  void countsActiveCallsAndResources() {
    Resource bridge = new Resource(ResourceType.BRIDGE, "conf");
    callContexts.move(CHANNEL, "one");
    callContexts.move(bridge, "one");
    callContexts.register(new Resource(ResourceType.CHANNEL, "pending"), "two", false);
    assertActive(1, 2);

    callContexts.move(bridge, "three");
    assertActive(2, 2);
    callContexts.end(CHANNEL);
    assertActive(1, 1);
    callContexts.start(CHANNEL);
    callContexts.evict(bridge);
    assertActive(1, 1);

    clock.advance(IDLE_TIMEOUT.plus(MOMENT));
    callContexts.cache().cleanUp();
    assertActive(0, 0);
  }

  private void assertActive(int calls, int resources) {
    assertThat(callContexts.activeCalls()).isEqualTo(calls);
    assertThat(callContexts.activeCallContexts()).hasSize(calls);
    assertThat(callContexts.activeResources()).isEqualTo(resources);
    assertThat(callContexts.active()).hasSize(resources);
  }
}
