package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** How long call contexts are remembered. */
class CallContextsTest {

  private static final Duration IDLE = Duration.ofHours(1);
  private static final Duration GRACE = Duration.ofMinutes(1);
  private static final Duration MOMENT = Duration.ofSeconds(1);
  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");

  private final FakeTicker clock = new FakeTicker();
  private final CallContexts callContexts = new CallContexts(IDLE, GRACE, clock);

  @Test
  void forgetsWhatNobodyAsksForWithinTheIdleTime() {
    callContexts.move(CHANNEL, "one");
    clock.pass(IDLE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void aCallMayLastForEverAsLongAsItIsAskedFor() {
    callContexts.move(CHANNEL, "one");
    for (int i = 0; i < 100; i++) {
      clock.pass(IDLE.minus(MOMENT));
      assertThat(callContexts.of(CHANNEL)).contains("one");
    }
  }

  @Test
  void rememberingAgainCountsAsAsking() {
    callContexts.move(CHANNEL, "one");
    clock.pass(IDLE.minus(MOMENT));
    callContexts.rememberIfNew(CHANNEL, "two");
    clock.pass(IDLE.minus(MOMENT));
    callContexts.register(CHANNEL, "three", false);
    clock.pass(IDLE.minus(MOMENT));
    callContexts.move(CHANNEL, "one");
    clock.pass(IDLE.minus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void remembersForTheGraceTimeAfterTheEnd() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    clock.pass(GRACE.minus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("one");
    clock.pass(MOMENT.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void askingDoesNotProlongTheGraceTime() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    clock.pass(GRACE.minus(MOMENT));
    callContexts.of(CHANNEL);
    callContexts.rememberIfNew(CHANNEL, "two");
    callContexts.follow(CHANNEL, "one");
    callContexts.move(CHANNEL, "one");
    clock.pass(MOMENT.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void theEndOfWhatIsNotKnownIsNothing() {
    callContexts.end(CHANNEL);
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void movingReplaces() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    assertThat(callContexts.of(CHANNEL)).contains("two");
  }

  @Test
  void followsWhatIsShown() {
    assertThat(callContexts.follow(CHANNEL, "one")).isEqualTo("one");
    assertThat(callContexts.follow(CHANNEL, "two")).isEqualTo("two");
    assertThat(callContexts.follow(CHANNEL, "one")).isEqualTo("one");
  }

  @Test
  void doesNotFollowToWhatItHasJustLeft() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    assertThat(callContexts.follow(CHANNEL, "one")).isEqualTo("two");
    assertThat(callContexts.follow(CHANNEL, "three")).isEqualTo("three");
  }

  @Test
  void mayFollowBackWhenItsMoveHasBeenShown() {
    callContexts.move(CHANNEL, "one");
    callContexts.move(CHANNEL, "two");
    callContexts.follow(CHANNEL, "two");
    assertThat(callContexts.follow(CHANNEL, "one")).isEqualTo("one");
  }

  @Test
  void rememberIfNewKeepsWhatThereIs() {
    callContexts.rememberIfNew(CHANNEL, "one");
    callContexts.rememberIfNew(CHANNEL, "two");
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void registeringDoesNotTakeOverALivingResource() {
    callContexts.register(CHANNEL, "one", false);
    callContexts.register(CHANNEL, "two", false);
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void registeringGivesAnIdThatIsUsedAgainItsNewCall() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    callContexts.register(CHANNEL, "two", false);
    clock.pass(GRACE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("two");
  }

  @Test
  void whatWasRegisteredAndNotCreatedIsForgotten() {
    Registration registration = callContexts.register(CHANNEL, "one", false).orElseThrow();
    callContexts.undo(registration);
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void whatTookThePlaceOfALivingOneAndIsNotCreatedLeavesItsPlace() {
    callContexts.move(CHANNEL, "one");
    Registration registration = callContexts.register(CHANNEL, "two", true).orElseThrow();
    assertThat(callContexts.of(CHANNEL)).contains("two");
    callContexts.undo(registration);
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void whatHasMovedSinceItWasRegisteredStaysWhereItIs() {
    Registration registration = callContexts.register(CHANNEL, "one", false).orElseThrow();
    callContexts.move(CHANNEL, "two");
    callContexts.undo(registration);
    clock.pass(GRACE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("two");
  }

  @Test
  void aLivingResourceIsNotRegisteredAndSoNothingIsUndone() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.register(CHANNEL, "two", false)).isEmpty();
  }

  @Test
  void aHungUpChannelEndsWhenItLeavesStasis() {
    callContexts.move(CHANNEL, "one");
    callContexts.leaveStasis(CHANNEL, "app");
    clock.pass(GRACE.plus(MOMENT));
    callContexts.hangUp(CHANNEL);
    clock.pass(GRACE.plus(MOMENT));
    callContexts.leaveStasis(CHANNEL, "app");
    assertThat(callContexts.of(CHANNEL)).contains("one");
    clock.pass(GRACE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void whatStartsAgainWithinTheGraceTimeIsRememberedOn() {
    callContexts.move(CHANNEL, "one");
    callContexts.end(CHANNEL);
    callContexts.start(CHANNEL);
    clock.pass(GRACE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void whoHasTheIdOfADestroyedChannelIsNotHungUp() {
    callContexts.move(CHANNEL, "one");
    callContexts.hangUp(CHANNEL);
    callContexts.end(CHANNEL);
    callContexts.start(CHANNEL);
    callContexts.leaveStasis(CHANNEL, "app");
    clock.pass(GRACE.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).contains("one");
  }

  @Test
  void aSnoopChannelIsAChannel() {
    callContexts.move(new Resource(ResourceType.SNOOPING, "s"), "one");
    assertThat(callContexts.of(new Resource(ResourceType.CHANNEL, "s"))).contains("one");
  }

  @Test
  void theSameIdOfAnotherKindIsAnotherResource() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.of(new Resource(ResourceType.BRIDGE, "c"))).isEmpty();
  }

  @Test
  void theCacheIsReadByTheResourcesKey() {
    callContexts.move(CHANNEL, "one");
    assertThat(callContexts.cache().getIfPresent("CHANNEL:c").callContext()).isEqualTo("one");
  }

  @Test
  void findsByTheBeginningOfACallContextAKeyOrAnId() {
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
  void whoOnlyWatchesDoesNotProlongALife() {
    callContexts.move(CHANNEL, "one");
    clock.pass(IDLE.minus(MOMENT));
    assertThat(callContexts.peek(CHANNEL)).isPresent();
    assertThat(callContexts.find("one", 10)).hasSize(1);
    clock.pass(MOMENT.plus(MOMENT));
    assertThat(callContexts.of(CHANNEL)).isEmpty();
  }

  @Test
  void evictsAResourceOrAllOfACallContext() {
    Resource bridge = new Resource(ResourceType.BRIDGE, "conf");
    callContexts.move(CHANNEL, "one");
    callContexts.move(bridge, "one");
    callContexts.move(new Resource(ResourceType.CHANNEL, "x"), "two");
    assertThat(callContexts.evict(CHANNEL).orElseThrow().callContext()).isEqualTo("one");
    assertThat(callContexts.evict(CHANNEL)).isEmpty();
    assertThat(callContexts.evictAllOf("one")).containsExactly(bridge);
    assertThat(callContexts.livingCallContexts()).containsExactly("two");
  }
}
