// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The resources of an event, and those that determine its call context. */
class EventReaderTest {

  /** Asterisk sends none; a record's key cannot contain them. */
  @Test
  void replacesUnpairedSurrogatesInIdsAndCallContext() {
    AriEvent event =
        AriEvent.parse(
            "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"c\\ud800\","
                + "\"channelvars\":{\"CALL_CONTEXT\":\"\\udc00x\\ud83d\\ude00\"}}}");
    assertThat(event.resources()).containsExactly(new Resource(ResourceType.CHANNEL, "c?"));
    assertThat(event.channel().callContext()).isEqualTo("?x\ud83d\ude00");
  }

  @Test
  void ignoresIdsAndCallContextsThatAreTooLong() {
    String longest = "x".repeat(Resource.MAX_ID_LENGTH);
    String format =
        "{'type':'ChannelVarset','variable':'CALL_CONTEXT','value':'%1$s','application':'%1$s',"
            + "'asterisk_id':'%1$s',"
            + "'channel':{'id':'%1$s','creationtime':'%1$s','channelvars':{'CALL_CONTEXT':'%1$s'}},"
            + "'bridge':{'id':'b','channels':['%1$s']},'old_video_source_id':'%1$s',"
            + "'playback':{'id':'%1$s','target_uri':'channel:%1$s'},'recording':{'name':'%1$s'}}";

    AriEvent accepted = AriEvent.parse(format.formatted(longest).replace('\'', '"'));
    assertThat(accepted.resources()).hasSize(4);
    assertThat(accepted.channel().callContext()).isEqualTo(longest);
    assertThat(accepted.assignedCallContext()).isEqualTo(longest);

    AriEvent ignored = AriEvent.parse(format.formatted(longest + "x").replace('\'', '"'));
    assertThat(ignored.resources()).containsExactly(new Resource(ResourceType.BRIDGE, "b"));
    assertThat(ignored.relatedResources()).isEmpty();
    assertThat(ignored.channel().id()).isEmpty();
    assertThat(ignored.channel().callContext()).isEmpty();
    assertThat(ignored.assignedCallContext()).isEmpty();
    assertThat(ignored.application()).isEmpty();
    assertThat(ignored.asteriskId()).isEmpty();
    assertThat(ignored.hasLongId()).isTrue();
    assertThat(new Resource(ResourceType.CHANNEL, "c", longest).instance()).isEqualTo(longest);
    assertThat(new Resource(ResourceType.CHANNEL, "c", longest + "x").instance()).isEmpty();
  }

  /** The envelope has a name of up to twice the length. */
  @Test
  void rejectsTypeThatIsTooLong() {
    String longest = "X".repeat(Resource.MAX_ID_LENGTH);
    assertThat(AriEvent.parse("{\"type\":\"" + longest + "\"}").type()).isEqualTo(longest);
    assertThatThrownBy(() -> AriEvent.parse("{\"type\":\"" + longest + "x\"}"))
        .isInstanceOf(MalformedEventException.class)
        .hasMessage("type has more than 4096 characters");
  }

  /** So that one event cannot fill the heap and the store. */
  @Test
  void ignoresIdsBeyondLimitOfLists() {
    String ids =
        IntStream.range(0, AriEvent.MAX_LISTED_IDS - 1)
            .mapToObj(id -> "\"" + id + "\"")
            .collect(Collectors.joining(",", "[", ""));
    String format =
        "{\"type\":\"BridgeMerged\",\"bridge\":{\"id\":\"a\",\"channels\":%s},"
            + "\"bridge_from\":{\"id\":\"b\",\"channels\":%s,\"name\":\"n\"}}";

    AriEvent accepted = AriEvent.parse(format.formatted(ids + "]", "[\"x\"]"));
    assertThat(accepted.relatedResources()).hasSize(AriEvent.MAX_LISTED_IDS);
    assertThat(accepted.ignoredIds()).isZero();

    AriEvent limited = AriEvent.parse(format.formatted(ids + "]", ids + ",[\"x\"],{}]"));
    assertThat(limited.relatedResources()).hasSize(AriEvent.MAX_LISTED_IDS);
    assertThat(limited.ignoredIds()).isEqualTo(AriEvent.MAX_LISTED_IDS);
    assertThat(limited.resources())
        .containsExactly(
            new Resource(ResourceType.BRIDGE, "a"), new Resource(ResourceType.BRIDGE, "b"));
  }

  /** Only ids and call contexts are stored. */
  @Test
  void acceptsLongValuesOfOtherVariables() {
    AriEvent event =
        AriEvent.parse(
            "{\"type\":\"ChannelVarset\",\"variable\":\"X\",\"value\":\""
                + "x".repeat(1_000_000)
                + "\",\"channel\":{\"id\":\"c\"}}");
    assertThat(event.hasLongId()).isFalse();
    assertThat(event.resources()).containsExactly(new Resource(ResourceType.CHANNEL, "c"));
  }

  @ParameterizedTest
  @EnumSource
  void everyRecordedEventHasAResource(RecordedTraffic recording) {
    assertThat(recording.events()).allSatisfy(event -> assertThat(event.resources()).isNotEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void recordedEventsYieldScenarioResources(RecordedTraffic recording) {
    assertThat(
            recording
                .events()
                .flatMap(event -> event.resources().stream())
                .map(Resource::key)
                .collect(Collectors.toSet()))
        .containsExactlyInAnyOrder(
            "CHANNEL:chan-1",
            "CHANNEL:chan-1b",
            "CHANNEL:chan-2",
            "CHANNEL:snoop-1",
            "CHANNEL:ext-1",
            "BRIDGE:br-1",
            "PLAYBACK:pb-1",
            "PLAYBACK:pb-2",
            "RECORDING:rec-1",
            "RECORDING:rec-3",
            "DEVICE:Stasis:dev1");
  }

  @Test
  void dialListsPeerBeforeCaller() {
    assertThat(of("{'type':'Dial','caller':{'id':'a'},'peer':{'id':'b'},'forwarded':{'id':'c'}}"))
        .containsExactly("CHANNEL:b", "CHANNEL:a", "CHANNEL:c");
  }

  @Test
  void channelPrecedesItsBridge() {
    assertThat(
            of(
                "{'type':'ChannelEnteredBridge','bridge':{'id':'br','channels':['a','b']},"
                    + "'channel':{'id':'a'}}"))
        .containsExactly("CHANNEL:a", "BRIDGE:br");
  }

  @Test
  void bridgeMembersAreRelated() {
    assertThat(
            related(
                "{'type':'ChannelEnteredBridge','bridge':{'id':'br','channels':['a','b']},"
                    + "'channel':{'id':'a'}}"))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
  }

  @Test
  void attendedTransferListsAllLegsAndBridges() {
    assertThat(
            of(
                "{'type':'BridgeAttendedTransfer','transferer_first_leg':{'id':'l1'},"
                    + "'transferer_first_leg_bridge':{'id':'b1','channels':['l1','x']},"
                    + "'transferer_second_leg':{'id':'l2'},"
                    + "'transferer_second_leg_bridge':{'id':'b2','channels':['l2','y']},"
                    + "'transferee':{'id':'x'},'transfer_target':{'id':'y'},"
                    + "'replace_channel':{'id':'r'},'destination_type':'threeway',"
                    + "'destination_link_first_leg':{'id':'d1'},"
                    + "'destination_link_second_leg':{'id':'d2'},"
                    + "'destination_threeway_channel':{'id':'t'},"
                    + "'destination_threeway_bridge':{'id':'b3','channels':[]}}"))
        .containsExactlyInAnyOrder(
            "BRIDGE:b1",
            "BRIDGE:b2",
            "BRIDGE:b3",
            "CHANNEL:l1",
            "CHANNEL:l2",
            "CHANNEL:x",
            "CHANNEL:y",
            "CHANNEL:r",
            "CHANNEL:d1",
            "CHANNEL:d2",
            "CHANNEL:t");
  }

  @Test
  void blindTransferListsBridgeTransfererAndTransferee() {
    assertThat(
            of(
                "{'type':'BridgeBlindTransfer','channel':{'id':'a'},'transferee':{'id':'b'},"
                    + "'replace_channel':{'id':'c'},'bridge':{'id':'br'},'exten':'1','context':'d'}"))
        .containsExactly("BRIDGE:br", "CHANNEL:a", "CHANNEL:c", "CHANNEL:b");
  }

  @Test
  void bridgeMergeListsBothBridges() {
    assertThat(of("{'type':'BridgeMerged','bridge':{'id':'b1'},'bridge_from':{'id':'b2'}}"))
        .containsExactly("BRIDGE:b1", "BRIDGE:b2");
  }

  @Test
  void stasisStartListsReplacedChannel() {
    assertThat(of("{'type':'StasisStart','channel':{'id':'a'},'replace_channel':{'id':'b'}}"))
        .containsExactly("CHANNEL:a", "CHANNEL:b");
  }

  @Test
  void channelTransferListsReferrerFirst() {
    assertThat(
            of(
                "{'type':'ChannelTransfer','referred_by':{'source_channel':{'id':'a'},"
                    + "'connected_channel':{'id':'b'},'bridge':{'id':'b1'}},"
                    + "'refer_to':{'requested_destination':{'destination':'1'},"
                    + "'destination_channel':{'id':'c'},'connected_channel':{'id':'d'},"
                    + "'bridge':{'id':'b2'}}}"))
        .containsExactly(
            "CHANNEL:a", "CHANNEL:b", "CHANNEL:c", "CHANNEL:d", "BRIDGE:b1", "BRIDGE:b2");
  }

  @Test
  void attendedTransferListsDestinationBridge() {
    assertThat(
            of(
                "{'type':'BridgeAttendedTransfer','transferer_first_leg':{'id':'a'},"
                    + "'destination_type':'bridge','destination_bridge':'b'}"))
        .containsExactly("BRIDGE:b", "CHANNEL:a");
  }

  @Test
  void previousVideoSourceIsRelated() {
    assertThat(
            related(
                "{'type':'BridgeVideoSourceChanged','bridge':{'id':'b','channels':['a']},"
                    + "'old_video_source_id':'c'}"))
        .containsExactly("CHANNEL:a", "CHANNEL:c");
  }

  @Test
  void playbackTargetIsRelated() {
    assertThat(related("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel:a'}}"))
        .containsExactly("CHANNEL:a");
    assertThat(related("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'bridge:b'}}"))
        .containsExactly("BRIDGE:b");
  }

  @Test
  void recordingTargetIsRelated() {
    assertThat(
            related("{'type':'RecordingFailed','recording':{'name':'r','target_uri':'bridge:b'}}"))
        .containsExactly("BRIDGE:b");
  }

  @Test
  void otherAndMalformedTargetsAreNotRelated() {
    assertThat(
            related("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'endpoint:e'}}"))
        .isEmpty();
    assertThat(related("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel'}}"))
        .isEmpty();
    assertThat(related("{'type':'PlaybackStarted','playback':{'id':'p','target_uri':'channel:'}}"))
        .isEmpty();
  }

  @Test
  void userEventMayHaveNoResources() {
    assertThat(of("{'type':'ChannelUserevent','eventname':'x','userevent':{}}")).isEmpty();
  }

  @Test
  void globalVariableHasNoResources() {
    assertThat(of("{'type':'ChannelVarset','variable':'X','value':'1'}")).isEmpty();
  }

  @Test
  void listsResourcesOutsideCalls() {
    assertThat(of("{'type':'DeviceStateChanged','device_state':{'name':'Stasis:d','state':'X'}}"))
        .containsExactly("DEVICE:Stasis:d");
    assertThat(
            of(
                "{'type':'PeerStatusChange','endpoint':{'technology':'PJSIP','resource':'bob'},"
                    + "'peer':{'peer_status':'Reachable'}}"))
        .containsExactly("ENDPOINT:PJSIP/bob");
    assertThat(of("{'type':'MessageWaiting','mailbox':{'name':'100@default','new_messages':1}}"))
        .containsExactly("MAILBOX:100@default");
  }

  @Test
  void applicationEventsListTheirApplication() {
    assertThat(of("{'type':'ApplicationRegistered','application':'app'}"))
        .containsExactly("APPLICATION:app");
    assertThat(of("{'type':'ApplicationUnregistered','application':'app'}"))
        .containsExactly("APPLICATION:app");
    assertThat(of("{'type':'ApplicationMoveFailed','application':'app','channel':{'id':'a'}}"))
        .containsExactly("CHANNEL:a");
  }

  @Test
  void ignoresObjectsWithoutId() {
    assertThat(
            of(
                "{'type':'Dial','peer':{'id':''},'caller':{'id':null},'channel':{'id':5},"
                    + "'bridge':'x','forwarded':[]}"))
        .isEmpty();
  }

  private static List<String> of(String json) {
    return keys(AriEvent.parse(json.replace('\'', '"')).resources());
  }

  private static List<String> related(String json) {
    return keys(AriEvent.parse(json.replace('\'', '"')).relatedResources());
  }

  private static List<String> keys(List<Resource> resources) {
    return resources.stream().map(Resource::key).toList();
  }
}
