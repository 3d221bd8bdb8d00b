package io.retel.ariproxy.ari;

import java.util.Locale;
import java.util.Map;

/** How the names of ARI's event types are written in envelopes (contract.md section 2). */
public final class EventType {

  /** Names that have always been so, and that call-controllers match on. */
  private static final Map<String, String> LEGACY_NAMES =
      Map.of(
          "ChannelVarset", "CHANNELVARSET",
          "ChannelCallerId", "CHANNEL_CALLERID",
          "BridgeVideoSourceChanged", "BRIDGE_VIDEOSOURCE_CHANGED");

  private EventType() {}

  /**
   * The name in UPPER_SNAKE_CASE: each inner capital starts a word.
   *
   * @param ariName as Asterisk sends it, known or not
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
