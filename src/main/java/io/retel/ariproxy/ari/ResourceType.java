package io.retel.ariproxy.ari;

/** The kinds of things that ARI has (contract.md section 2). */
public enum ResourceType {
  CHANNEL,
  BRIDGE,
  PLAYBACK,
  RECORDING,
  /** A snoop channel in a RESPONSE; Asterisk's events speak of it as a channel. */
  SNOOPING,
  ENDPOINT,
  DEVICE,
  MAILBOX,
  APPLICATION;

  /** Whether such a resource can belong to a call, and so has a call context. */
  public boolean isCallScoped() {
    return switch (this) {
      case CHANNEL, BRIDGE, PLAYBACK, RECORDING, SNOOPING -> true;
      case ENDPOINT, DEVICE, MAILBOX, APPLICATION -> false;
    };
  }
}
