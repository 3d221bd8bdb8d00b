// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.Base64;
import java.util.BitSet;
import java.util.stream.LongStream;

/**
 * Completed offsets above a committed offset, as stored in the commit metadata.
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

  private static final String METADATA_PREFIX = "ari-proxy/1:";

  static CompletedOffsets empty(long base) {
    return new CompletedOffsets(base, new BitSet());
  }

  /** Parses commit metadata; metadata in any other format yields an empty set. */
  static CompletedOffsets fromMetadata(long base, String metadata) {
    if (metadata == null || !metadata.startsWith(METADATA_PREFIX)) {
      return empty(base);
    }
    try {
      byte[] bits = Base64.getDecoder().decode(metadata.substring(METADATA_PREFIX.length()));
      return new CompletedOffsets(base, BitSet.valueOf(bits));
    } catch (IllegalArgumentException e) {
      return empty(base);
    }
  }

  String toMetadata() {
    return completed.isEmpty()
        ? ""
        : METADATA_PREFIX + Base64.getEncoder().encodeToString(completed.toByteArray());
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
