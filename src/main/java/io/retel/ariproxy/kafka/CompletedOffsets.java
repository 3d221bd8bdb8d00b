// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.Base64;
import java.util.BitSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Completed offsets above a committed offset, as stored in the commit metadata.
 *
 * <p>The metadata includes the topic id, since Kafka can apply a commit to a topic that was created
 * again in the meantime.
 *
 * @param base the committed offset
 * @param completed bit n represents the offset {@code base + n}
 */
record CompletedOffsets(long base, BitSet completed) {

  /**
   * Maximum distance above the committed offset: the set must fit into 4,096 bytes, the broker's
   * default limit for metadata.
   */
  static final int MAX_WINDOW = 24_000;

  /** Version 1 has no topic id. */
  private static final Pattern METADATA =
      Pattern.compile("ari-proxy/(?:1|2:(?<topicId>[^:]+)):(?<completed>[^:]*)");

  static CompletedOffsets empty(long base) {
    return new CompletedOffsets(base, new BitSet());
  }

  /** Parses commit metadata; metadata in any other format yields an empty set. */
  static CompletedOffsets fromMetadata(long base, String metadata) {
    Matcher matcher = METADATA.matcher(metadata == null ? "" : metadata);
    if (!matcher.matches()) {
      return empty(base);
    }
    try {
      byte[] bits = Base64.getDecoder().decode(matcher.group("completed"));
      return new CompletedOffsets(base, BitSet.valueOf(bits));
    } catch (IllegalArgumentException e) {
      return empty(base);
    }
  }

  /** Whether a commit is of the topic with this id; false if its metadata has none. */
  static boolean isOfTopic(String metadata, Uuid topicId) {
    return topicId.toString().equals(topicId(metadata));
  }

  /** Whether a commit is of a topic with another id; false if its metadata has none. */
  static boolean isOfOtherTopic(String metadata, Uuid topicId) {
    return topicId(metadata) != null && !isOfTopic(metadata, topicId);
  }

  private static @Nullable String topicId(String metadata) {
    Matcher matcher = METADATA.matcher(metadata == null ? "" : metadata);
    return matcher.matches() ? matcher.group("topicId") : null;
  }

  /**
   * @param topicId of the partition, or null if it is unknown
   */
  String toMetadata(@Nullable Uuid topicId) {
    if (topicId == null && completed.isEmpty()) {
      return "";
    }
    return (topicId == null ? "ari-proxy/1:" : "ari-proxy/2:" + topicId + ":")
        + Base64.getEncoder().encodeToString(completed.toByteArray());
  }

  boolean contains(long offset) {
    long bit = offset - base;
    return bit >= 0 && bit < MAX_WINDOW && completed.get((int) bit);
  }

  /** Adds an offset; ignored below the committed offset and beyond {@link #MAX_WINDOW}. */
  void add(long offset) {
    long bit = offset - base;
    if (bit >= 0 && bit < MAX_WINDOW) {
      completed.set((int) bit);
    }
  }

  /** Returns the completed offsets at and above the given offset. */
  LongStream startingAt(long offset) {
    return completed.stream()
        .mapToLong(bit -> base + bit)
        .filter(completedOffset -> completedOffset >= offset);
  }
}
