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
record AnsweredOffsets(long base, BitSet answered) {

  /**
   * How far above the committed offset the set may reach, so that it fits into 4,096 bytes, the
   * broker's default.
   */
  static final int MAX_WINDOW = 24_000;

  private static final String VERSION = "ari-proxy/1:";

  static AnsweredOffsets none(long base) {
    return new AnsweredOffsets(base, new BitSet());
  }

  /** Reads a commit's metadata; what others have written there is no set of ours. */
  static AnsweredOffsets fromMetadata(long base, String metadata) {
    if (metadata == null || !metadata.startsWith(VERSION)) {
      return none(base);
    }
    try {
      byte[] bits = Base64.getDecoder().decode(metadata.substring(VERSION.length()));
      return new AnsweredOffsets(base, BitSet.valueOf(bits));
    } catch (IllegalArgumentException e) {
      return none(base);
    }
  }

  String toMetadata() {
    return answered.isEmpty()
        ? ""
        : VERSION + Base64.getEncoder().encodeToString(answered.toByteArray());
  }

  boolean contains(long offset) {
    long bit = offset - base;
    return bit >= 0 && bit < MAX_WINDOW && answered.get((int) bit);
  }

  /** Takes an offset into the set, if it is not too far above the committed one. */
  void add(long offset) {
    long bit = offset - base;
    if (bit >= 0 && bit < MAX_WINDOW) {
      answered.set((int) bit);
    }
  }

  /** Its offsets from this one on. */
  LongStream from(long offset) {
    return answered.stream().mapToLong(bit -> base + bit).filter(own -> own >= offset);
  }
}
