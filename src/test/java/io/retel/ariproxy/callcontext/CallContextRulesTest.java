// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mapping rules of docs/contract.md#mapping, in their order. */
class CallContextRulesTest {

  private static final Duration GRACE_PERIOD = Duration.ofMinutes(1);
  private static final Duration PAST_GRACE_PERIOD = GRACE_PERIOD.plusSeconds(1);

  private static final String HANGUP_REQUEST =
      "{'type':'ChannelHangupRequest','channel':{'id':'c'}}";
  private static final String STASIS_END = "{'type':'StasisEnd','channel':{'id':'c'}}";

  private static final String OLD = "2026-11-28T23:46:22.394+0000";
  private static final String NEW = "2026-11-28T23:46:25.316+0000";

  private final FakeTicker clock = new FakeTicker();
  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), GRACE_PERIOD, clock);
  private final CallContextRules rules = new CallContextRules(callContexts);

  @Test
  void rule1ChannelVariableOverridesMapping() {
    assign(ResourceType.CHANNEL, "c", "old");
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c','channelvars':" + variable("new")))
        .isEqualTo("new");
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("new");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "\\t"})
  void rule1BlankChannelVariableIsIgnored(String blank) {
    assign(ResourceType.CHANNEL, "c", "one");
    assertThat(map("{'type':'StasisStart','channel':{'id':'c','channelvars':" + variable(blank)))
        .isEqualTo("one");
  }

  @Test
  void rule1SettingVariableMovesChannel() {
    assign(ResourceType.CHANNEL, "c", "old");
    assertThat(map(varset("c", "new", ""))).isEqualTo("new");
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c'}}")).isEqualTo("new");
  }

  /** Underscores pass the variable on to channels that this one creates. */
  @ParameterizedTest
  @CsvSource({"_CALL_CONTEXT, new", "__CALL_CONTEXT, new", "___CALL_CONTEXT, old"})
  void rule1SettingInheritedVariableMovesChannel(String variable, String callContext) {
    assign(ResourceType.CHANNEL, "c", "old");
    String event = varset("c", "new", "").replace("'CALL_CONTEXT','v", "'" + variable + "','v");
    assertThat(map(event)).isEqualTo(callContext);
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c'}}")).isEqualTo(callContext);
  }

  @Test
  void rule1StaleVariableDoesNotMoveChannelBack() {
    map("{'type':'StasisStart','channel':{'id':'c','channelvars':" + variable("old"));
    assertThat(map(varset("c", "new", "old"))).isEqualTo("new");
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c','channelvars':" + variable("old")))
        .isEqualTo("new");
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c','channelvars':" + variable("new")))
        .isEqualTo("new");
  }

  @Test
  void rule1ResettingVariableMovesChannelBack() {
    map("{'type':'StasisStart','channel':{'id':'c','channelvars':" + variable("one"));
    map(varset("c", "two", "one"));
    assertThat(map(varset("c", "one", "two"))).isEqualTo("one");
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c','channelvars':" + variable("one")))
        .isEqualTo("one");
  }

  @Test
  void rule1MovesOnlyOwnChannelOfEvent() {
    assign(ResourceType.CHANNEL, "caller", "theirs");
    map("{'type':'Dial','caller':{'id':'caller'},'peer':{'id':'c','channelvars':" + variable("x"));
    assertThat(lookup(ResourceType.CHANNEL, "caller")).isEqualTo("theirs");
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("x");
  }

  @ParameterizedTest
  @ValueSource(strings = {"'transferer_first_leg':", "'referred_by':{'source_channel':"})
  void rule1TransfererIsOwnChannelOfTransfer(String field) {
    String end = field.contains("{") ? "}" : "";
    assertThat(
            map("{'type':'Transfer'," + field + "{'id':'c','channelvars':" + variable("x") + end))
        .isEqualTo("x");
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("x");
  }

  @Test
  void rule1ListsChannelFirst() {
    MappedEvent mapped =
        rules.map(
            event(
                "{'type':'BridgeBlindTransfer','bridge':{'id':'b'},"
                    + "'channel':{'id':'c','channelvars':"
                    + variable("x")));
    assertThat(keys(mapped)).containsExactly("CHANNEL:c", "BRIDGE:b");
  }

  @Test
  void rule1AppliesToTransfererInsteadOfReplacedChannel() {
    assign(ResourceType.CHANNEL, "r", "theirs");
    MappedEvent mapped =
        rules.map(
            event(
                "{'type':'BridgeAttendedTransfer','replace_channel':{'id':'r'},"
                    + "'transferer_first_leg':{'id':'c','channelvars':"
                    + variable("x")));
    assertThat(mapped.callContexts()).containsExactly("x", "theirs");
    assertThat(keys(mapped)).containsExactly("CHANNEL:c", "CHANNEL:r");
    assertThat(lookup(ResourceType.CHANNEL, "r")).isEqualTo("theirs");
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("x");
  }

  @Test
  void rule1GlobalVariableIsIgnored() {
    assertThat(map("{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'x'}")).isNull();
  }

  @Test
  void rule2OwnResourceDecides() {
    assign(ResourceType.PLAYBACK, "p", "playback's");
    assign(ResourceType.CHANNEL, "c", "channel's");
    assertThat(map("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel:c'}}"))
        .isEqualTo("playback's");
  }

  @Test
  void rule3PlaybackTargetDecides() {
    assign(ResourceType.CHANNEL, "c", "one");
    MappedEvent mapped =
        rules.map(
            event("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel:c'}}"));
    assertThat(mapped.callContext()).isEqualTo("one");
    assertThat(keys(mapped)).containsExactly("CHANNEL:c", "PLAYBACK:p");
  }

  @Test
  void rule3RecordingTargetDecides() {
    assign(ResourceType.BRIDGE, "b", "one");
    assertThat(map("{'type':'RecordingStarted','recording':{'name':'r','target_uri':'bridge:b'}}"))
        .isEqualTo("one");
  }

  @Test
  void rule3BridgeMemberDecides() {
    assign(ResourceType.CHANNEL, "c2", "one");
    MappedEvent mapped =
        rules.map(event("{'type':'BridgeCreated','bridge':{'id':'b','channels':['c1','c2']}}"));
    assertThat(mapped.callContext()).isEqualTo("one");
    assertThat(keys(mapped)).containsExactly("CHANNEL:c2", "BRIDGE:b");
  }

  @Test
  void rule3ChannelDecidesForItsBridge() {
    assign(ResourceType.CHANNEL, "c", "one");
    assertThat(map("{'type':'ChannelEnteredBridge','bridge':{'id':'b'},'channel':{'id':'c'}}"))
        .isEqualTo("one");
    assertThat(map("{'type':'BridgeDestroyed','bridge':{'id':'b','channels':[]}}"))
        .isEqualTo("one");
  }

  @Test
  void rule3DialCallerDecides() {
    assign(ResourceType.CHANNEL, "a", "one");
    MappedEvent mapped = rules.map(event("{'type':'Dial','peer':{'id':'b'},'caller':{'id':'a'}}"));
    assertThat(mapped.callContext()).isEqualTo("one");
    assertThat(keys(mapped)).containsExactly("CHANNEL:a", "CHANNEL:b");
    assertThat(lookup(ResourceType.CHANNEL, "b")).isEqualTo("one");
  }

  @Test
  void rule3ReplacedChannelDecides() {
    assign(ResourceType.CHANNEL, "old", "one");
    assertThat(map("{'type':'StasisStart','channel':{'id':'new'},'replace_channel':{'id':'old'}}"))
        .isEqualTo("one");
  }

  @Test
  void rule3ReferrerDecides() {
    assign(ResourceType.CHANNEL, "a", "one");
    assertThat(map("{'type':'ChannelTransfer','referred_by':{'source_channel':{'id':'a'}}}"))
        .isEqualTo("one");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'referred_by':{'connected_channel':{'id':'a'}}",
        "'refer_to':{'destination_channel':{'id':'a'}}",
        "'refer_to':{'connected_channel':{'id':'a'}}",
        "'refer_to':{'bridge':{'id':'b','channels':['a']}}"
      })
  void rule3OtherTransferPartiesDecide(String field) {
    assign(ResourceType.CHANNEL, "a", "one");
    assertThat(map("{'type':'ChannelTransfer'," + field + "}")).isEqualTo("one");
  }

  @Test
  void rule3PreviousVideoSourceDecides() {
    assign(ResourceType.CHANNEL, "c", "one");
    assertThat(
            map(
                "{'type':'BridgeVideoSourceChanged','bridge':{'id':'b','channels':[]},"
                    + "'old_video_source_id':'c'}"))
        .isEqualTo("one");
  }

  @ParameterizedTest
  @ValueSource(strings = {"transferer_first_leg", "transferer_second_leg"})
  void rule3EitherTransferLegDecides(String leg) {
    assign(ResourceType.CHANNEL, "l", "one");
    assertThat(
            map(
                "{'type':'BridgeAttendedTransfer','"
                    + leg
                    + "':{'id':'l'},'transfer_target':{'id':'t'}}"))
        .isEqualTo("one");
    assertThat(lookup(ResourceType.CHANNEL, "t")).isEqualTo("one");
  }

  @Test
  void rule4NewCallGetsNameBasedUuid() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    assertThat(callContext).isEqualTo(UUID.fromString(callContext).toString());
    assertThat(UUID.fromString(callContext).version()).isEqualTo(3);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo(callContext);
  }

  @Test
  void rule4UuidIsReproducibleWithoutMappings() {
    String event = stasisStart("ast", "app", "c", "2026-01-01");
    CallContextRules other =
        new CallContextRules(new CallContexts(Duration.ofHours(1), GRACE_PERIOD, clock));
    assertThat(map(event)).isEqualTo(other.map(event(event)).callContext());
  }

  @Test
  void rule4EachNamePartChangesUuid() {
    assertThat(
            List.of(
                map(stasisStart("ast", "app", "c1", "2026-01-01")),
                map(stasisStart("ast2", "app", "c2", "2026-01-01")),
                map(stasisStart("ast", "app2", "c3", "2026-01-01")),
                map(stasisStart("ast", "app", "c4", "2026-01-01"))))
        .doesNotHaveDuplicates();
    String one = generated(stasisStart("ast", "app", "c", "2026-01-01"));
    assertThat(
            List.of(
                one,
                generated(stasisStart("ast2", "app", "c", "2026-01-01")),
                generated(stasisStart("ast", "app2", "c", "2026-01-01")),
                generated(stasisStart("ast", "app", "c2", "2026-01-01")),
                generated(stasisStart("ast", "app", "c", "2026-01-02"))))
        .doesNotHaveDuplicates();
  }

  @Test
  void rule4AppliesToStasisStartOnly() {
    assertThat(map("{'type':'ChannelCreated','channel':{'id':'c'}}")).isNull();
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  /** Another application can claim the channel, and its end is not reported to this one. */
  @Test
  void rule4BroadcastHasCallContextOfItsStasisStartWithoutMapping() {
    String broadcast =
        stasisStart("ast", "app", "c", "2026-01-01").replace("StasisStart", "CallBroadcast");
    String callContext = map(broadcast);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
    assertThat(map(stasisStart("ast", "app", "c", "2026-01-01"))).isEqualTo(callContext);
    assertThat(map(broadcast)).isEqualTo(callContext);

    assertThat(map(channelEvent("CallBroadcast", "d", OLD, "dialplan"))).isEqualTo("dialplan");
    assertThat(lookup(ResourceType.CHANNEL, "d")).isNull();
    assertThat(map("{'type':'CallBroadcast'}")).isNull();
  }

  @Test
  void rule5UnknownResourceIsUnmapped() {
    MappedEvent mapped = rules.map(event("{'type':'ChannelHold','channel':{'id':'c'}}"));
    assertThat(mapped.unmapped()).isTrue();
    assertThat(mapped.callContext()).isNull();
    assertThat(keys(mapped)).containsExactly("CHANNEL:c");
  }

  @Test
  void rule5EventWithoutResourcesIsUnmapped() {
    assertThat(map("{'type':'ChannelUserevent','eventname':'x'}")).isNull();
    assertThat(map("{'type':'SomethingNew'}")).isNull();
  }

  @Test
  void assignsCallContextToUnmappedResources() {
    assign(ResourceType.CHANNEL, "l1", "one");
    assign(ResourceType.CHANNEL, "y", "another");
    map(
        "{'type':'BridgeAttendedTransfer','transferer_first_leg':{'id':'l1'},"
            + "'transferer_first_leg_bridge':{'id':'b1'},'transferee':{'id':'x'},"
            + "'transfer_target':{'id':'y'}}");
    assertThat(lookup(ResourceType.BRIDGE, "b1")).isEqualTo("one");
    assertThat(lookup(ResourceType.CHANNEL, "x")).isEqualTo("one");
    assertThat(lookup(ResourceType.CHANNEL, "y")).isEqualTo("another");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'type':'ChannelEnteredBridge','bridge':{'id':'b'},'channel':{'id':'a'}",
        "'type':'ChannelLeftBridge','bridge':{'id':'b'},'channel':{'id':'a'}",
        "'type':'BridgeBlindTransfer','bridge':{'id':'b'},'channel':{'id':'a'}",
        "'type':'BridgeMerged','bridge':{'id':'b'},'bridge_from':{'id':'a'}",
        "'type':'BridgeAttendedTransfer','transferer_first_leg':{'id':'a'},"
            + "'transferer_second_leg_bridge':{'id':'b'},'transfer_target':{'id':'a'}",
        "'type':'Dial','caller':{'id':'a'},'peer':{'id':'b'}",
        "'type':'ChannelTransfer','referred_by':{'source_channel':{'id':'a'}},"
            + "'refer_to':{'bridge':{'id':'b'}}",
        "'type':'ChannelUserevent','channel':{'id':'a'},'bridge':{'id':'b'}",
        "'type':'NewInSomeVersion','channel':{'id':'a'},'bridge':{'id':'b'}"
      })
  void eventOfTwoCallsHasCopy(String event) {
    for (ResourceType type : List.of(ResourceType.CHANNEL, ResourceType.BRIDGE)) {
      assign(type, "a", "one");
      assign(type, "b", "two");
    }
    MappedEvent mapped = rules.map(event("{" + event + "}"));
    MappedEvent copy = mapped.copies().get(0);
    assertThat(mapped.copies()).hasSize(1);
    assertThat(List.of(mapped.callContext(), copy.callContext()))
        .containsExactlyInAnyOrder("one", "two")
        .isEqualTo(mapped.callContexts());
    assertThat(copy.event()).isSameAs(mapped.event());
    assertThat(copy.copies()).isEmpty();
    for (MappedEvent published : List.of(mapped, copy)) {
      Resource deciding = published.resources().get(0);
      assertThat(lookup(deciding.type(), deciding.id())).isEqualTo(published.callContext());
    }
    assertThat(copy.resources()).containsExactlyInAnyOrderElementsOf(mapped.resources());
  }

  @Test
  void eventOfOneCallHasNoCopy() {
    assign(ResourceType.CHANNEL, "a", "one");
    MappedEvent mapped =
        rules.map(
            event(
                "{'type':'ChannelEnteredBridge','bridge':{'id':'b','channels':['a','x']},"
                    + "'channel':{'id':'a'}}"));
    assertThat(mapped.copies()).isEmpty();
    assertThat(mapped.callContexts()).isEmpty();
  }

  @Test
  void variableOfBridgeHasNoEffect() {
    assign(ResourceType.BRIDGE, "b", "one");
    MappedEvent mapped =
        rules.map(
            event(
                "{'type':'ChannelEnteredBridge','bridge':{'id':'b','bridgevars':"
                    + "{'CALL_CONTEXT':'two'}},'channel':{'id':'c'}}"));
    assertThat(mapped.callContext()).isEqualTo("one");
    assertThat(mapped.copies()).isEmpty();
  }

  /** The channels of a bridge are its state; none of them is a resource of the event. */
  @Test
  void otherChannelsInBridgeAddNoCopy() {
    assign(ResourceType.CHANNEL, "a", "one");
    assign(ResourceType.CHANNEL, "x", "two");
    assertThat(
            rules
                .map(
                    event(
                        "{'type':'ChannelEnteredBridge','bridge':{'id':'b','channels':['a','x']},"
                            + "'channel':{'id':'a'}}"))
                .copies())
        .isEmpty();
  }

  @Test
  void stasisStartHasNoCopy() {
    assign(ResourceType.CHANNEL, "new", "one");
    assign(ResourceType.CHANNEL, "old", "two");
    MappedEvent mapped =
        rules.map(
            event("{'type':'StasisStart','channel':{'id':'new'},'replace_channel':{'id':'old'}}"));
    assertThat(mapped.callContext()).isEqualTo("one");
    assertThat(mapped.copies()).isEmpty();
  }

  /** After a restart, a command for a call restores the mapping of its channel. */
  @Test
  void assignsCallContextToRelatedResources() {
    assign(ResourceType.PLAYBACK, "p", "one");
    map("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel:c'}}");
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("one");
    map(
        "{'type':'ChannelEnteredBridge','bridge':{'id':'b','channels':['c','d']},'channel':{'id':'c'}}");
    assertThat(lookup(ResourceType.CHANNEL, "d")).isEqualTo("one");
  }

  @Test
  void resourcesOutsideCallsGetNoMapping() {
    map(
        "{'type':'TextMessageReceived','endpoint':{'technology':'PJSIP','resource':'bob'},"
            + "'channel':{'id':'c','channelvars':"
            + variable("x"));
    assertThat(lookup(ResourceType.ENDPOINT, "PJSIP/bob")).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'ChannelDestroyed','channel':{'id':'x'}}",
        "{'type':'BridgeDestroyed','bridge':{'id':'x','channels':[]}}",
        "{'type':'PlaybackFinished','playback':{'id':'x','target_uri':'channel:c'}}",
        "{'type':'RecordingFinished','recording':{'name':'x','target_uri':'channel:c'}}",
        "{'type':'RecordingFailed','recording':{'name':'x','target_uri':'channel:c'}}"
      })
  void mappingExpiresAfterItsResourceEnds(String end) {
    Resource resource = new Resource(type(end), "x");
    callContexts.move(resource, "one");
    assertThat(map(end)).isEqualTo("one");
    assertThat(callContexts.lookup(resource)).contains("one");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(callContexts.lookup(resource)).isEmpty();
  }

  @Test
  void snoopChannelEndsOnStasisEnd() {
    assign(ResourceType.SNOOPING, "s", "one");
    map("{'type':'StasisEnd','channel':{'id':'s','name':'Snoop/c-00000000'}}");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "s")).isNull();
  }

  @Test
  void endOfPlaybackDoesNotEndItsChannel() {
    assign(ResourceType.CHANNEL, "c", "one");
    map("{'type':'PlaybackFinished','playback':{'id':'p','target_uri':'channel:c'}}");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo("one");
    assertThat(lookup(ResourceType.PLAYBACK, "p")).isNull();
  }

  @Test
  void channelDestroyedWithVariableEndsChannel() {
    map("{'type':'StasisStart','channel':{'id':'c','channelvars':" + variable("x"));
    map("{'type':'ChannelDestroyed','channel':{'id':'c','channelvars':" + variable("x"));
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  @Test
  void lateEventDoesNotReviveEndedChannel() {
    map("{'type':'StasisStart','channel':{'id':'c','channelvars':" + variable("x"));
    map("{'type':'ChannelDestroyed','channel':{'id':'c','channelvars':" + variable("x"));
    assertThat(map("{'type':'ChannelHold','channel':{'id':'c','channelvars':" + variable("x")))
        .isEqualTo("x");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  /**
   * After a far-end hangup or DELETE, Asterisk sends ChannelHangupRequest but no ChannelDestroyed.
   */
  @Test
  void hungUpChannelEndsOnStasisEnd() {
    map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(HANGUP_REQUEST);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(STASIS_END)).isNotNull();
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  @Test
  void hangupRequestAloneEndsNothing() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(HANGUP_REQUEST);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo(callContext);
  }

  @Test
  void hangupRequestOfAnotherChannelEndsNothing() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    map("{'type':'ChannelHangupRequest','channel':{'id':'c;2'}}");
    map(STASIS_END);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isEqualTo(callContext);
  }

  /**
   * A hangup in the dialplan looks the same, since Asterisk sends no event; the idle timeout ends
   * that mapping.
   */
  @Test
  void channelReturningFromDialplanRetainsCallContext() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(STASIS_END);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(stasisStart("ast", "app", "c", "2026-01-01"))).isEqualTo(callContext);
  }

  @Test
  void channelChangingApplicationRetainsCallContext() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(STASIS_END);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(stasisStart("ast", "app2", "c", "2026-01-01"))).isEqualTo(callContext);
  }

  /** The h extension can lead to Stasis again, without another ChannelHangupRequest. */
  @Test
  void hungUpChannelReenteringStasisRetainsCallContext() {
    String callContext = map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(HANGUP_REQUEST);
    map(STASIS_END);
    assertThat(map(stasisStart("ast", "app", "c", "2026-01-01"))).isEqualTo(callContext);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(STASIS_END)).isEqualTo(callContext);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  @Test
  void hungUpChannelEndsAfterMove() {
    map(stasisStart("ast", "app", "c", "2026-01-01"));
    map(HANGUP_REQUEST);
    assertThat(map(varset("c", "new", ""))).isEqualTo("new");
    map(STASIS_END);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  /** Asterisk accepts the id of an active playback and plays the second one after the first. */
  @ParameterizedTest
  @ValueSource(strings = {"Playback", "Recording"})
  void restartedMediaRetainsCallContextUntilItEnds(String kind) {
    String event =
        "{'type':'" + kind + "%s','" + kind.toLowerCase(Locale.ROOT) + "':{'id':'x','name':'x'}}";
    assign(ResourceType.valueOf(kind.toUpperCase(Locale.ROOT)), "x", "one");
    map(event.formatted("Finished"));
    map(event.formatted("Started"));
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(event.formatted("Finished"))).isEqualTo("one");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(event.formatted("Started"))).isNull();
  }

  /** A command creates a channel with the id of one that is ending, and is still waiting. */
  @Test
  void eventsBelongToTheChannelOfTheirCreationTime() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    callContexts.announceSuccessor(new Resource(ResourceType.CHANNEL, "c"), "two");

    assertThat(map(channelEvent("ChannelHangupRequest", "c", OLD, "one"))).isEqualTo("one");
    assertThat(map(channelEvent("StasisStart", "c", NEW, ""))).isEqualTo("two");
    assertThat(map(channelEvent("StasisEnd", "c", OLD, "one"))).isEqualTo("one");
    assertThat(map(channelEvent("ChannelDestroyed", "c", OLD, ""))).isEqualTo("one");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(channelEvent("ChannelHold", "c", NEW, ""))).isEqualTo("two");
  }

  /** The response arrives before the events of the earlier channel. */
  @Test
  void lateEventsBelongToTheReplacedChannel() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    callContexts.replace(new Resource(ResourceType.CHANNEL, "c", NEW), "two");

    // an outage of Kafka can delay the events
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(channelEvent("StasisEnd", "c", OLD, "one"))).isEqualTo("one");
    assertThat(map(varsetOf("c", OLD, "moved"))).isEqualTo("moved");
    assertThat(map(channelEvent("ChannelDestroyed", "c", OLD, ""))).isEqualTo("moved");
    assertThat(map(channelEvent("StasisStart", "c", NEW, ""))).isEqualTo("two");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(channelEvent("ChannelHold", "c", NEW, ""))).isEqualTo("two");
  }

  @Test
  void lateEventsBelongToTheEndedChannel() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    map(channelEvent("ChannelDestroyed", "c", OLD, "one"));
    callContexts.register(new Resource(ResourceType.CHANNEL, "c"), "two", false);

    assertThat(map(channelEvent("ChannelVarset", "c", OLD, "one"))).isEqualTo("one");
    assertThat(map(channelEvent("StasisStart", "c", NEW, ""))).isEqualTo("two");
  }

  @Test
  void lateEndDoesNotEndTheNextChannel() {
    Resource next = new Resource(ResourceType.CHANNEL, "c", NEW);
    map(channelEvent("StasisStart", "c", OLD, "one"));
    map(channelEvent("ChannelHangupRequest", "c", OLD, "one"));
    map(channelEvent("StasisEnd", "c", OLD, "one"));
    callContexts.register(new Resource(ResourceType.CHANNEL, "c"), "two", false);

    assertThat(map(channelEvent("ChannelDestroyed", "c", OLD, ""))).isEqualTo("one");
    callContexts.confirm(next);
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(channelEvent("ChannelHold", "c", NEW, ""))).isEqualTo("two");
    assertThat(map(channelEvent("ChannelDestroyed", "c", NEW, ""))).isEqualTo("two");
    assertThat(callContexts.mapping(next).orElseThrow().ended()).isTrue();
  }

  @Test
  void rejectedCommandDoesNotAffectTheChannel() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    Resource channel = new Resource(ResourceType.CHANNEL, "c");
    callContexts.announceSuccessor(channel, "two");
    callContexts.withdrawSuccessor(channel, "two");

    assertThat(map(channelEvent("ChannelHold", "c", NEW, ""))).isEqualTo("one");
  }

  /** Another client of Asterisk creates it. */
  @Test
  void newChannelWithTheIdOfAnEndedOneStartsCall() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    map(channelEvent("ChannelDestroyed", "c", OLD, "one"));

    String callContext = map(channelEvent("StasisStart", "c", NEW, ""));

    assertThat(callContext).isNotEqualTo("one");
    assertThat(map(channelEvent("ChannelVarset", "c", OLD, "one"))).isEqualTo("one");
    assertThat(map(channelEvent("ChannelHold", "c", NEW, ""))).isEqualTo(callContext);
  }

  /** A redirect in Asterisk changes the creation time of a channel. */
  @Test
  void redirectedChannelRetainsCallContext() {
    map(channelEvent("StasisStart", "c", OLD, "one"));
    assertThat(map(channelEvent("StasisEnd", "c", OLD, ""))).isEqualTo("one");
    assertThat(map(channelEvent("StasisStart", "c", NEW, ""))).isEqualTo("one");
    map(channelEvent("ChannelDestroyed", "c", NEW, ""));
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.CHANNEL, "c")).isNull();
  }

  @Test
  void eventsBelongToTheBridgeOfTheirCreationTime() {
    map(bridgeEvent("BridgeCreated", OLD));
    callContexts.replace(new Resource(ResourceType.BRIDGE, "b", OLD), "one");
    callContexts.end(new Resource(ResourceType.BRIDGE, "b"));
    callContexts.register(new Resource(ResourceType.BRIDGE, "b"), "two", false);

    assertThat(map(bridgeEvent("BridgeCreated", NEW))).isEqualTo("two");
    assertThat(map(bridgeEvent("BridgeDestroyed", OLD))).isEqualTo("one");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(bridgeEvent("BridgeDestroyed", NEW))).isEqualTo("two");
  }

  @Test
  void lateEndDoesNotEndTheNextBridge() {
    callContexts.replace(new Resource(ResourceType.BRIDGE, "b", OLD), "one");
    callContexts.end(new Resource(ResourceType.BRIDGE, "b"));
    callContexts.register(new Resource(ResourceType.BRIDGE, "b"), "two", false);

    assertThat(map(bridgeEvent("BridgeDestroyed", OLD))).isEqualTo("one");
    callContexts.confirm(new Resource(ResourceType.BRIDGE, "b", NEW));
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(bridgeEvent("BridgeDestroyed", NEW))).isEqualTo("two");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(lookup(ResourceType.BRIDGE, "b")).isNull();
  }

  @Test
  void modifiedBridgeRetainsCallContext() {
    callContexts.replace(new Resource(ResourceType.BRIDGE, "b", OLD), "one");
    callContexts.replaceIfOther(new Resource(ResourceType.BRIDGE, "b", OLD), "two");
    assertThat(map(bridgeEvent("BridgeMerged", OLD))).isEqualTo("one");
    callContexts.replaceIfOther(new Resource(ResourceType.BRIDGE, "b", NEW), "two");
    assertThat(map(bridgeEvent("BridgeMerged", NEW))).isEqualTo("two");
  }

  @ParameterizedTest
  @ValueSource(strings = {"Playback", "Recording"})
  void eventsOfMediaBelongToTheirTarget(String kind) {
    String event =
        "{'type':'"
            + kind
            + "%s','"
            + kind.toLowerCase(Locale.ROOT)
            + "':{'id':'x','name':'x','target_uri':'channel:%s'}}";
    ResourceType type = ResourceType.valueOf(kind.toUpperCase(Locale.ROOT));
    callContexts.register(new Resource(type, "x", "channel:a"), "one", true);
    callContexts.register(new Resource(type, "x", "channel:b"), "two", true);
    assign(ResourceType.CHANNEL, "d", "three");

    assertThat(map(event.formatted("Started", "a"))).isEqualTo("one");
    assertThat(map(event.formatted("Started", "b"))).isEqualTo("two");
    assertThat(map(event.formatted("Started", "d"))).isEqualTo("three");
    assertThat(rules.map(event(event.formatted("Continuing", "d"))).copies()).isEmpty();
    assertThat(map(event.formatted("Finished", "a"))).isEqualTo("one");
    clock.advance(PAST_GRACE_PERIOD);
    assertThat(map(event.formatted("Finished", "b"))).isEqualTo("two");
  }

  private String map(String json) {
    return rules.map(event(json)).callContext();
  }

  private String generated(String stasisStart) {
    return new CallContextRules(new CallContexts(Duration.ofHours(1), GRACE_PERIOD, clock))
        .map(event(stasisStart))
        .callContext();
  }

  private static AriEvent event(String json) {
    return AriEvent.parse(json.replace('\'', '"'));
  }

  /** End of a channel and its event, with the variable. */
  private static String variable(String callContext) {
    return "{'CALL_CONTEXT':'" + callContext + "'}}}";
  }

  private static String varset(String channel, String value, String shown) {
    return "{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'"
        + value
        + "','channel':{'id':'"
        + channel
        + "','channelvars':"
        + variable(shown);
  }

  private static String varsetOf(String channel, String created, String value) {
    return channelEvent("ChannelVarset", channel, created, "")
        .replace("{'type'", "{'variable':'CALL_CONTEXT','value':'" + value + "','type'");
  }

  private static String channelEvent(
      String type, String channel, String created, String callContext) {
    return stasisStart("ast", "app", channel, created)
        .replace("StasisStart", type)
        .replace("'CALL_CONTEXT':''", "'CALL_CONTEXT':'" + callContext + "'");
  }

  private static String bridgeEvent(String type, String created) {
    return "{'type':'%s','bridge':{'id':'b','creationtime':'%s','channels':[]}}"
        .formatted(type, created);
  }

  private static String stasisStart(
      String asterisk, String application, String channel, String created) {
    return "{'type':'StasisStart','asterisk_id':'"
        + asterisk
        + "','application':'"
        + application
        + "','channel':{'id':'"
        + channel
        + "','creationtime':'"
        + created
        + "','channelvars':"
        + variable("");
  }

  private static ResourceType type(String end) {
    String kind = event(end).type().replaceAll("(Destroyed|Finished|Failed)$", "");
    return ResourceType.valueOf(kind.toUpperCase(Locale.ROOT));
  }

  private void assign(ResourceType type, String id, String callContext) {
    callContexts.move(new Resource(type, id), callContext);
  }

  private String lookup(ResourceType type, String id) {
    return callContexts.lookup(new Resource(type, id)).orElse(null);
  }

  private static List<String> keys(MappedEvent mapped) {
    return mapped.resources().stream().map(Resource::key).toList();
  }
}
