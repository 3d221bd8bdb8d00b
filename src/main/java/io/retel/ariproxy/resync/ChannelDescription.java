// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;
import java.nio.charset.StandardCharsets;

/**
 * Asterisk's description of a channel, as text, since a tree would take many times its bytes.
 *
 * @param applicationName the application of the dialplan that the channel runs, such as {@code
 *     Stasis}
 * @param applicationData the arguments of that application
 * @param json the whole description
 * @param bytes the heap of its texts, also in events, at most
 */
record ChannelDescription(
    String creationTime,
    String name,
    String applicationName,
    String applicationData,
    String json,
    long bytes) {

  /**
   * Of a character: one as text, and one as UTF-8 in each of two events, that of the channel's
   * start and the one of its call.
   */
  private static final int ASCII_BYTES = 3;

  /** Of a character in a text that is not ASCII: two as text, and up to three as UTF-8. */
  private static final int OTHER_BYTES = 8;

  static ChannelDescription of(JsonNode channel) {
    String creationTime = channel.path("creationtime").asText();
    String name = channel.path("name").asText();
    String applicationName = channel.at("/dialplan/app_name").asText();
    String applicationData = channel.at("/dialplan/app_data").asText();
    String json = channel.toString();
    long characters =
        (long) creationTime.length()
            + name.length()
            + applicationName.length()
            + applicationData.length()
            + json.length();
    boolean isAscii = json.getBytes(StandardCharsets.UTF_8).length == json.length();
    return new ChannelDescription(
        creationTime,
        name,
        applicationName,
        applicationData,
        json,
        characters * (isAscii ? ASCII_BYTES : OTHER_BYTES));
  }

  String instance() {
    return Resource.channelInstance(creationTime, name);
  }

  /**
   * Whether the dialplan shows that the channel is in Stasis. Other channels can be as well, such
   * as one that was claimed from {@code StasisBroadcast}.
   */
  boolean runsStasis() {
    return applicationName.equals("Stasis");
  }

  /** Returns the Stasis application that the dialplan named. */
  String entryApplication() {
    return applicationData.split(",", 2)[0];
  }
}
