// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The position of a command's record in Kafka.
 *
 * @param topic its topic
 * @param partition its partition
 * @param offset its offset
 * @param key the record's key, or null
 * @param timestamp the record's timestamp: create time or log append time, depending on the topic's
 *     configuration
 */
public record RecordPosition(
    String topic, int partition, long offset, @Nullable String key, Instant timestamp) {

  /**
   * Returns an id derived from this position. It is the same on every execution, so a repeated
   * creation requests the same resource.
   */
  public String derivedId(String purpose) {
    String name = purpose + "|" + topic + "|" + partition + "|" + offset;
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8)).toString();
  }

  @Override
  public String toString() {
    return topic + "-" + partition + "@" + offset;
  }
}
