// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import java.util.Map;
import java.util.Set;

/** The names of ARI event types in envelopes (docs/contract.md#envelopes). */
public final class EventType {

  /** Irregular names that call-controllers already match on. */
  private static final Map<String, String> LEGACY_NAMES =
      Map.of(
          "ChannelVarset", "CHANNELVARSET",
          "ChannelCallerId", "CHANNEL_CALLERID",
          "BridgeVideoSourceChanged", "BRIDGE_VIDEOSOURCE_CHANGED");

  /** As documented by Asterisk 22, and the proxy's own. */
  static final Set<String> KNOWN =
      Set.of(
          "ApplicationMoveFailed",
          "ApplicationRegistered",
          "ApplicationReplaced",
          "ApplicationUnregistered",
          "AriConnectionRestored",
          "BridgeAttendedTransfer",
          "BridgeBlindTransfer",
          "BridgeCreated",
          "BridgeDestroyed",
          "BridgeMerged",
          "BridgeVideoSourceChanged",
          "CallBroadcast",
          "CallClaimed",
          "ChannelCallerId",
          "ChannelConnectedLine",
          "ChannelCreated",
          "ChannelDestroyed",
          "ChannelDialplan",
          "ChannelDtmfReceived",
          "ChannelEnteredBridge",
          "ChannelHangupRequest",
          "ChannelHold",
          "ChannelLeftBridge",
          "ChannelStateChange",
          "ChannelTalkingFinished",
          "ChannelTalkingStarted",
          "ChannelToneDetected",
          "ChannelTransfer",
          "ChannelUnhold",
          "ChannelUserevent",
          "ChannelVarset",
          "ContactStatusChange",
          "DeviceStateChanged",
          "Dial",
          "EndpointStateChange",
          "PeerStatusChange",
          "PlaybackContinuing",
          "PlaybackFinished",
          "PlaybackStarted",
          "RESTResponse",
          "RecordingFailed",
          "RecordingFinished",
          "RecordingStarted",
          "StasisEnd",
          "StasisStart",
          "TextMessageReceived");

  private EventType() {}

  /** Whether Asterisk documents the type; others are foreign text of any length. */
  public static boolean isKnown(String ariName) {
    return KNOWN.contains(ariName);
  }

  /**
   * Returns the name in UPPER_SNAKE_CASE: each inner capital starts a word. Only ASCII changes,
   * since Java takes quadratic time for some other characters, and no type of Asterisk has any.
   *
   * @param ariName the type as Asterisk sends it, known or not
   */
  public static String envelopeName(String ariName) {
    String legacyName = LEGACY_NAMES.get(ariName);
    if (legacyName != null) {
      return legacyName;
    }
    StringBuilder name = new StringBuilder(ariName.length() + 8);
    for (int i = 0; i < ariName.length(); i++) {
      char c = ariName.charAt(i);
      if (i > 0 && c >= 'A' && c <= 'Z') {
        name.append('_');
      }
      name.append(c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c);
    }
    return name.toString();
  }
}
