package io.retel.ariproxy.kafka;

import java.util.Base64;
import java.util.BitSet;
import java.util.stream.LongStream;

/**
 * A set of answered offsets above a committed one, as it is kept in the commit's metadata.
 *
 * @param base the committed offset
 * @param answered bit n stands for the offset {@code base + n}
 */
record CompletedOffsets(long base, BitSet completed) {

  /**
   * How far above the committed offset the set may reach, so that it fits into 4,096 bytes, the
   * broker's default.
   */
  static final int MAX_WINDOW = 24_000;

  private static final String METADATA_PREFIX = "ari-proxy/1:";

  static CompletedOffsets empty(long base) {
    return new CompletedOffsets(base, new BitSet());
  }

  /** Reads a commit's metadata; what others have written there is no set of ours. */
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

  /** Takes an offset into the set, if it is not too far above the committed one. */
  void add(long offset) {
    long bit = offset - base;
    if (bit >= 0 && bit < MAX_WINDOW) {
      completed.set((int) bit);
    }
  }

  /** Its offsets from this one on. */
  LongStream startingAt(long offset) {
    return completed.stream()
        .mapToLong(bit -> base + bit)
        .filter(completedOffset -> completedOffset >= offset);
  }
}
