// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Event type names in envelopes. */
class EventTypeTest {

  @ParameterizedTest
  @CsvSource({
    "ChannelVarset, CHANNELVARSET",
    "ChannelCallerId, CHANNEL_CALLERID",
    "BridgeVideoSourceChanged, BRIDGE_VIDEOSOURCE_CHANGED"
  })
  void preservesLegacyNames(String ariName, String envelopeName) {
    assertThat(EventType.envelopeName(ariName)).isEqualTo(envelopeName);
  }

  /** Java's upper case of it has three characters, and takes quadratic time. */
  @Test
  void changesOnlyAscii() {
    String type = "Aa" + "\u0390\u00df\u00e9\u0130".repeat(1_000_000);
    assertThat(EventType.envelopeName(type)).isEqualTo("AA" + type.substring(2));
  }

  @ParameterizedTest
  @CsvSource({
    "ApplicationMoveFailed, APPLICATION_MOVE_FAILED",
    "ApplicationReplaced, APPLICATION_REPLACED",
    "BridgeAttendedTransfer, BRIDGE_ATTENDED_TRANSFER",
    "BridgeBlindTransfer, BRIDGE_BLIND_TRANSFER",
    "BridgeCreated, BRIDGE_CREATED",
    "BridgeDestroyed, BRIDGE_DESTROYED",
    "BridgeMerged, BRIDGE_MERGED",
    "ChannelConnectedLine, CHANNEL_CONNECTED_LINE",
    "ChannelCreated, CHANNEL_CREATED",
    "ChannelDestroyed, CHANNEL_DESTROYED",
    "ChannelDialplan, CHANNEL_DIALPLAN",
    "ChannelDtmfReceived, CHANNEL_DTMF_RECEIVED",
    "ChannelEnteredBridge, CHANNEL_ENTERED_BRIDGE",
    "ChannelHangupRequest, CHANNEL_HANGUP_REQUEST",
    "ChannelHold, CHANNEL_HOLD",
    "ChannelLeftBridge, CHANNEL_LEFT_BRIDGE",
    "ChannelStateChange, CHANNEL_STATE_CHANGE",
    "ChannelTalkingFinished, CHANNEL_TALKING_FINISHED",
    "ChannelTalkingStarted, CHANNEL_TALKING_STARTED",
    "ChannelToneDetected, CHANNEL_TONE_DETECTED",
    "ChannelTransfer, CHANNEL_TRANSFER",
    "ChannelUnhold, CHANNEL_UNHOLD",
    "ChannelUserevent, CHANNEL_USEREVENT",
    "ContactStatusChange, CONTACT_STATUS_CHANGE",
    "DeviceStateChanged, DEVICE_STATE_CHANGED",
    "Dial, DIAL",
    "EndpointStateChange, ENDPOINT_STATE_CHANGE",
    "PeerStatusChange, PEER_STATUS_CHANGE",
    "PlaybackContinuing, PLAYBACK_CONTINUING",
    "PlaybackFinished, PLAYBACK_FINISHED",
    "PlaybackStarted, PLAYBACK_STARTED",
    "RecordingFailed, RECORDING_FAILED",
    "RecordingFinished, RECORDING_FINISHED",
    "RecordingStarted, RECORDING_STARTED",
    "StasisEnd, STASIS_END",
    "StasisStart, STASIS_START",
    "TextMessageReceived, TEXT_MESSAGE_RECEIVED"
  })
  void splitsWordsAtInnerCapitals(String ariName, String envelopeName) {
    assertThat(EventType.envelopeName(ariName)).isEqualTo(envelopeName);
  }

  @ParameterizedTest
  @CsvSource({
    "SomeFutureEvent, SOME_FUTURE_EVENT",
    "lowercase, LOWERCASE",
    "X, X",
    "Channel2Event, CHANNEL2_EVENT",
    "ALREADY_THERE, A_L_R_E_A_D_Y__T_H_E_R_E"
  })
  void convertsUnknownTypes(String ariName, String envelopeName) {
    assertThat(EventType.envelopeName(ariName)).isEqualTo(envelopeName);
  }

  @Test
  void ignoresDefaultLocale() {
    Locale before = Locale.getDefault();
    Locale.setDefault(Locale.forLanguageTag("tr"));
    try {
      assertThat(EventType.envelopeName("Dial")).isEqualTo("DIAL");
    } finally {
      Locale.setDefault(before);
    }
  }

  /** There is a golden event of each type that Asterisk documents (DocumentedEventsIT). */
  @Test
  void knowsTypesOfGoldenEvents() {
    Set<String> known =
        GoldenEvent.all().stream()
            // the names of others start with what is special about them
            .filter(golden -> Character.isUpperCase(golden.name().charAt(0)))
            .map(golden -> AriEvent.parse(golden.event()).type())
            .collect(Collectors.toCollection(TreeSet::new));
    known.add("AriConnectionRestored");
    assertThat(EventType.KNOWN).containsExactlyInAnyOrderElementsOf(known);
  }

  @ParameterizedTest
  @EnumSource
  void knowsRecordedTypes(RecordedTraffic recording) {
    assertThat(recording.events().map(AriEvent::type)).isNotEmpty().allMatch(EventType::isKnown);
  }

  @ParameterizedTest
  @EnumSource
  void convertsRecordedTypesToUpperSnakeCase(RecordedTraffic recording) {
    assertThat(recording.events().map(AriEvent::type).map(EventType::envelopeName))
        .isNotEmpty()
        .allMatch(name -> name.matches("[A-Z]+(_[A-Z]+)*"));
  }
}
