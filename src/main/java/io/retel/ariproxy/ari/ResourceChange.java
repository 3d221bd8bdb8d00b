// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

/** What an event reports about the lifecycle of its own resource. */
public enum ResourceChange {
  /** The channel has entered a Stasis application. */
  ENTERED_STASIS,
  /** The channel has left a Stasis application; it can continue elsewhere. */
  LEFT_STASIS,
  /** The playback or recording has started. */
  STARTED,
  /** The channel is hung up. */
  HUNG_UP,
  /** The resource no longer exists. */
  ENDED,
  /** Nothing. */
  NONE;

  static ResourceChange of(String eventType) {
    return switch (eventType) {
      case "StasisStart" -> ENTERED_STASIS;
      case "StasisEnd" -> LEFT_STASIS;
      case "PlaybackStarted", "RecordingStarted" -> STARTED;
      case "ChannelHangupRequest" -> HUNG_UP;
      case "ChannelDestroyed",
          "BridgeDestroyed",
          "PlaybackFinished",
          "RecordingFinished",
          "RecordingFailed" ->
          ENDED;
      default -> NONE;
    };
  }
}
