// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import java.util.Locale;
import java.util.Map;

/** The names of ARI event types in envelopes (docs/contract.md#envelopes). */
public final class EventType {

  /** Irregular names that call-controllers already match on. */
  private static final Map<String, String> LEGACY_NAMES =
      Map.of(
          "ChannelVarset", "CHANNELVARSET",
          "ChannelCallerId", "CHANNEL_CALLERID",
          "BridgeVideoSourceChanged", "BRIDGE_VIDEOSOURCE_CHANGED");

  private EventType() {}

  /**
   * Returns the name in UPPER_SNAKE_CASE: each inner capital starts a word.
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
      if (i > 0 && Character.isUpperCase(c)) {
        name.append('_');
      }
      name.append(c);
    }
    return name.toString().toUpperCase(Locale.ROOT);
  }
}
