// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

/** The types of ARI resources (docs/contract.md#envelopes). */
public enum ResourceType {
  CHANNEL,
  BRIDGE,
  PLAYBACK,
  RECORDING,
  /** A snoop channel in a RESPONSE; events treat it as a channel. */
  SNOOPING,
  ENDPOINT,
  DEVICE,
  MAILBOX,
  APPLICATION;

  /** Whether it is played or recorded on a channel or bridge. */
  public boolean isMedia() {
    return this == PLAYBACK || this == RECORDING;
  }

  /** Whether the id of such a resource is the address of a person. */
  public boolean isAddress() {
    return this == ENDPOINT || this == DEVICE || this == MAILBOX;
  }

  /** Whether a resource of this type can belong to a call and has a call context. */
  public boolean isCallScoped() {
    return switch (this) {
      case CHANNEL, BRIDGE, PLAYBACK, RECORDING, SNOOPING -> true;
      case ENDPOINT, DEVICE, MAILBOX, APPLICATION -> false;
    };
  }
}
