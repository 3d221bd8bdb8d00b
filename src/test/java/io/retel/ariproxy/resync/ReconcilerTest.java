// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Late findings, between whose request and publication events have changed mappings. */
class ReconcilerTest {

  private static final Resource CHANNEL = new Resource(ResourceType.CHANNEL, "c");
  private static final Resource PLAYBACK = new Resource(ResourceType.PLAYBACK, "p");

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
  private final CallContextRules rules = new CallContextRules(callContexts);

  @Test
  void publishesLateStart() throws Exception {
    assertThat(reconcile(inStasis(null))).containsExactly("StasisStart");
    assertThat(mapping(CHANNEL).application()).isEqualTo("app");
  }

  /** Whether it was published before the gap is not known, and a start must not be lost. */
  @Test
  void publishesStartOfChannelThatIsNotMappedAtTheLimitAtEachResync() throws Exception {
    CallContexts full =
        new CallContexts(
            Duration.ofHours(1),
            Duration.ofMinutes(1),
            Ticker.systemTicker(),
            WriteBehind.noop(new SimpleMeterRegistry()),
            InstantSource.system(),
            0);
    List<MappedEvent> first = missedEvents(full, List.of(inStasis(null)));
    List<MappedEvent> second = missedEvents(full, List.of(inStasis(null)));

    assertThat(first).extracting(MappedEvent::type).containsExactly("StasisStart");
    assertThat(second).extracting(MappedEvent::type).containsExactly("StasisStart");
    assertThat(second.get(0).callContext()).isNotNull().isEqualTo(first.get(0).callContext());
    assertThat(full.all()).isEmpty();
  }

  @Test
  void doesNotPublishStartOfChannelThatHasLeftMeanwhile() throws Exception {
    Observation observation = inStasis(null);
    event("StasisStart");
    event("StasisEnd");
    assertThat(reconcile(observation)).isEmpty();
    assertThat(outdated).containsExactly(CHANNEL);
  }

  @Test
  void doesNotPublishStartOfChannelThatHasEndedMeanwhile() throws Exception {
    Observation observation = inStasis(null);
    event("StasisStart");
    event("ChannelDestroyed");
    assertThat(reconcile(observation)).isEmpty();
    assertThat(outdated).isEmpty();
  }

  @Test
  void doesNotEndChannelThatHasEnteredAgainMeanwhile() throws Exception {
    event("StasisStart");
    event("StasisEnd");
    Observation observation = Observation.of(CHANNEL, mapping(CHANNEL), false);
    event("StasisStart");
    assertThat(reconcile(observation)).isEmpty();
    assertThat(outdated).containsExactly(CHANNEL);
  }

  @Test
  void publishesMoveToOtherApplication() throws Exception {
    rules.map(
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"other\",\"channel\":{\"id\":\"c\"}}"));
    assertThat(reconcile(inStasis(mapping(CHANNEL)))).containsExactly("StasisEnd", "StasisStart");
  }

  @Test
  void publishesLateEndOfPlaybackOnce() throws Exception {
    event("StasisStart");
    rules.map(
        AriEvent.parse(
            "{\"type\":\"PlaybackStarted\",\"application\":\"app\","
                + "\"playback\":{\"id\":\"p\",\"target_uri\":\"channel:c\"}}"));
    Observation observation = Observation.of(PLAYBACK, mapping(PLAYBACK), false);
    assertThat(reconcile(observation)).containsExactly("PlaybackFinished");
    assertThat(reconcile(observation)).isEmpty();
  }

  /** Asterisk reports the end of a channel only to the application that created it. */
  @Test
  void claimedChannelOnlyLeaves() throws Exception {
    callContexts.registerClaim(CHANNEL, "call");
    callContexts.confirm(CHANNEL);
    event("StasisStart");
    assertThat(reconcile(Observation.of(CHANNEL, mapping(CHANNEL), false)))
        .containsExactly("StasisEnd");
    assertThat(mapping(CHANNEL).ended()).isTrue();
  }

  /** A redirect changes the creation time of a channel without PBX, but not its id. */
  @ParameterizedTest
  @CsvSource({"true,", "false, StasisEnd"})
  void redirectedChannelKeepsItsCall(boolean inStasis, String expected) throws Exception {
    callContexts.register(CHANNEL, "call", false);
    rules.map(stasisStart("2026-11-23T09:25:38.863+0000"));
    callContexts.confirm(CHANNEL);
    ChannelDescription redirected = description("2026-11-23T09:25:39.863+0000");
    assertThat(
            missedEvents(
                List.of(
                    new Observation(
                        CHANNEL,
                        mapping(CHANNEL),
                        true,
                        redirected,
                        inStasis,
                        inStasis ? Set.of("app") : Set.of()))))
        .extracting(event -> event.type() + " " + event.callContext())
        .isEqualTo(expected == null ? List.of() : List.of(expected + " call"));
    assertThat(mapping(CHANNEL).ended()).isFalse();
    assertThat(mapping(CHANNEL).callContext()).isEqualTo("call");
    assertThat(mapping(CHANNEL).application()).isEqualTo(inStasis ? "app" : null);
  }

  @ParameterizedTest
  @CsvSource({"1, BridgeDestroyed", "0,", "'',"})
  void publishesEndIfIdOfBridgeIsUsedAgain(String found, String expected) throws Exception {
    Resource bridge = new Resource(ResourceType.BRIDGE, "b", "0");
    callContexts.move(bridge, "call");
    List<String> events =
        reconcile(
            Observation.of(new Resource(ResourceType.BRIDGE, "b", found), mapping(bridge), true));
    assertThat(events).isEqualTo(expected == null ? List.of() : List.of(expected));
  }

  /** A redirect changes the creation time of a channel, but not its name. */
  @ParameterizedTest
  @CsvSource({"Local/x-2, true", "Local/x-1, false"})
  void publishesEndIfIdOfChannelIsUsedAgain(String name, boolean isOther) throws Exception {
    callContexts.register(CHANNEL, "call", false);
    rules.map(
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"app\",\"channel\":"
                + "{\"id\":\"c\",\"name\":\"Local/x-1\",\"creationtime\":\"2026\"}}"));
    callContexts.confirm(CHANNEL);
    ChannelDescription found = description("2027", name);

    List<MappedEvent> missed =
        missedEvents(
            List.of(new Observation(CHANNEL, mapping(CHANNEL), true, found, true, Set.of("app"))));

    assertThat(missed)
        .extracting(event -> event.type() + " " + event.callContext().equals("call"))
        .isEqualTo(
            isOther
                ? List.of("StasisEnd true", "ChannelDestroyed true", "StasisStart false")
                : List.of());
    assertThat(mapping(CHANNEL).callContext().equals("call")).isEqualTo(!isOther);
    assertThat(mapping(CHANNEL).application()).isEqualTo("app");
  }

  /** As after a transfer: Asterisk has put it into the bridge, in place of another channel. */
  @Test
  void channelInBridgeBelongsToItsCall() throws Exception {
    Resource bridge = new Resource(ResourceType.BRIDGE, "b");
    callContexts.move(bridge, "call");
    gap.begin(null, callContexts.activeCallContexts());

    List<MappedEvent> missed =
        missedEvents(
            List.of(
                inStasis(null),
                Observation.of(bridge, mapping(bridge), true).withChannels(Set.of("c"))));

    assertThat(missed)
        .extracting(event -> event.type() + " " + event.callContext())
        .containsExactly("StasisStart call", "AriConnectionRestored call");
    assertThat(missed.get(1).resources()).containsExactly(bridge, CHANNEL);
  }

  private static AriEvent stasisStart(String creationTime) {
    return AriEvent.parse(
        "{\"type\":\"StasisStart\",\"application\":\"app\",\"asterisk_id\":\"asterisk\","
            + "\"channel\":{\"id\":\"c\",\"creationtime\":\""
            + creationTime
            + "\"}}");
  }

  /** The second application of two: event filters and controllers see it. */
  @Test
  void eventsNameApplicationOfTheirCall() throws Exception {
    Resource secondLeg = new Resource(ResourceType.CHANNEL, "c;2");
    Resource recording = new Resource(ResourceType.RECORDING, "r", "bridge:b");
    Resource playback = new Resource(ResourceType.PLAYBACK, "p", "channel:c");
    Resource bridge = new Resource(ResourceType.BRIDGE, "b");
    for (Resource created : List.of(CHANNEL, secondLeg, recording, playback, bridge)) {
      callContexts.register(created, "call", false);
      callContexts.confirm(created);
    }
    callContexts.enterStasis(CHANNEL, "other");

    assertThat(
            missedEvents(
                Stream.of(CHANNEL, secondLeg, recording, playback, bridge)
                    .map(each -> Observation.of(each, mapping(each), false))
                    .toList())
                .stream())
        .extracting(missed -> missed.type() + " " + missed.event().application())
        .containsExactlyInAnyOrder(
            "StasisEnd other",
            "ChannelDestroyed other",
            "ChannelDestroyed other",
            "RecordingFinished other",
            "PlaybackFinished other",
            "BridgeDestroyed other");
  }

  @Test
  void restoredConnectionNamesApplicationOfItsCall() throws Exception {
    rules.map(
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"application\":\"other\",\"channel\":{\"id\":\"c\"}}"));
    gap.begin(null, callContexts.activeCallContexts());
    ChannelDescription description = inStasis(null).channel();
    assertThat(
            missedEvents(
                List.of(
                    new Observation(
                        CHANNEL, mapping(CHANNEL), true, description, true, Set.of("other")))))
        .extracting(missed -> missed.type() + " " + missed.event().application())
        .containsExactly("AriConnectionRestored other");
  }

  /** Asterisk has described the channel of the second application first. */
  @Test
  void restoredConnectionNamesFirstConfiguredApplication() throws Exception {
    Resource second = new Resource(ResourceType.CHANNEL, "d");
    for (Resource channel : List.of(CHANNEL, second)) {
      callContexts.move(channel, "another");
      callContexts.enterStasis(channel, channel.equals(second) ? "app" : "other");
    }
    gap.begin(null, callContexts.activeCallContexts());
    assertThat(
            missedEvents(
                Stream.of(CHANNEL, second)
                    .map(
                        each ->
                            new Observation(
                                each, mapping(each), true, null, true, Set.of("app", "other")))
                    .toList()))
        .extracting(missed -> missed.type() + " " + missed.event().application())
        .containsExactly("AriConnectionRestored app");
  }

  private Set<Resource> outdated;
  private final Gap gap = new Gap();

  private List<String> reconcile(Observation observation) {
    return missedEvents(List.of(observation)).stream().map(MappedEvent::type).toList();
  }

  private List<MappedEvent> missedEvents(List<Observation> observations) {
    return missedEvents(callContexts, observations);
  }

  private List<MappedEvent> missedEvents(
      CallContexts callContexts, List<Observation> observations) {
    Findings findings = new Findings(Moment.now(), "asterisk", "", observations, Set.of(), true);
    Reconciler reconciler =
        new Reconciler(
            callContexts,
            new CallContextRules(callContexts),
            List.of("app", "other"),
            Map.of("call", "other"),
            findings,
            new HashMap<>(),
            gap);
    List<MappedEvent> events = reconciler.missedEvents();
    outdated = reconciler.outdated();
    return events;
  }

  private static Observation inStasis(Mapping before) throws Exception {
    return new Observation(CHANNEL, before, true, description(""), true, Set.of("app"));
  }

  private static ChannelDescription description(String creationTime) throws Exception {
    return description(creationTime, "");
  }

  private static ChannelDescription description(String creationTime, String name) throws Exception {
    return ChannelDescription.of(
        new ObjectMapper()
            .readTree(
                """
                {"id":"c","name":"%s","creationtime":"%s",
                 "dialplan":{"app_name":"Stasis","app_data":"app"}}
                """
                    .formatted(name, creationTime)));
  }

  private void event(String type) {
    rules.map(
        AriEvent.parse(
            "{\"type\":\"" + type + "\",\"application\":\"app\",\"channel\":{\"id\":\"c\"}}"));
  }

  private Mapping mapping(Resource resource) {
    return callContexts.mapping(resource).orElse(null);
  }
}
