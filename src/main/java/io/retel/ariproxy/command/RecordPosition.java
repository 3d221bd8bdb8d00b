package io.retel.ariproxy.command;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;

/**
 * Where a command stands in Kafka.
 *
 * @param topic its topic
 * @param partition its partition
 * @param offset its offset
 * @param key the record's key, or null
 * @param timestamp the record's time: when it was sent, or appended if the topic says so
 */
public record RecordPosition(
    String topic, int partition, long offset, String key, Instant timestamp) {

  /**
   * An id that is the same whenever this very command is carried out, so that a repeated creation
   * asks for the same.
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
