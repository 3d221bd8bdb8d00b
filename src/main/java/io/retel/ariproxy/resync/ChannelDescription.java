// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;

/**
 * Asterisk's description of a channel, as text, since a tree would take many times its bytes.
 *
 * @param applicationName the application of the dialplan that the channel runs, such as {@code
 *     Stasis}
 * @param applicationData the arguments of that application
 * @param json the whole description
 */
record ChannelDescription(
    String creationTime, String name, String applicationName, String applicationData, String json) {

  /** As text, and as UTF-8 in events: that of its start and the one of its call. */
  private static final int BYTES_PER_CHARACTER = 6;

  static ChannelDescription of(JsonNode channel) {
    return new ChannelDescription(
        channel.path("creationtime").asText(),
        channel.path("name").asText(),
        channel.at("/dialplan/app_name").asText(),
        channel.at("/dialplan/app_data").asText(),
        channel.toString());
  }

  /** Returns the heap of its texts, also in events, at most. */
  long bytes() {
    long characters =
        (long) creationTime.length()
            + name.length()
            + applicationName.length()
            + applicationData.length()
            + json.length();
    return characters * BYTES_PER_CHARACTER;
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
