// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Limits the heap of all mappings, with their changes that the store has not acknowledged
 * (docs/contract.md#mapping-limit). Thread-safe.
 *
 * <p>A new mapping must fit in the limit; existing ones can exceed it by an eighth, so that calls
 * continue.
 */
final class MappingHeap {

  /** Heap of a mapping without its characters, as measured on Java 17. */
  private static final int BASE_BYTES = 252;

  /** Beyond this length, each character counts as two bytes, as one outside Latin-1 has. */
  private static final int MAX_TYPICAL_LENGTH = 128;

  /** Heap of the mapping of a channel with Asterisk's own id and a UUID as call context. */
  static final int TYPICAL_BYTES = 350;

  private final long limit;
  private final LongSupplier pendingBytes;
  private final AtomicLong mappingBytes = new AtomicLong();

  /**
   * @param limit in bytes
   * @param pendingBytes heap of the changes that are not written yet
   */
  MappingHeap(long limit, LongSupplier pendingBytes) {
    this.limit = limit;
    this.pendingBytes = pendingBytes;
  }

  /**
   * Accounts for a change of a mapping; null if it does not exist before or after.
   *
   * @return false, without accounting for it, if it does not fit
   */
  boolean replace(String key, @Nullable Mapping existing, @Nullable Mapping updated) {
    long growth = size(key, updated) - size(key, existing);
    // an existing mapping also changes while the store is unavailable and its changes wait
    boolean fits =
        existing == null
            ? used() + growth <= limit
            : mappingBytes.get() + growth <= limit + limit / 8;
    if (growth > 0 && !fits) {
      return false;
    }
    if (growth != 0) {
      mappingBytes.addAndGet(growth);
    }
    return true;
  }

  /** Heap in use, in bytes. */
  long used() {
    return mappingBytes.get() + pendingBytes.getAsLong();
  }

  /** The limit, in bytes. */
  long limit() {
    return limit;
  }

  /** Whether a typical mapping does not fit. */
  boolean isFull() {
    return used() + TYPICAL_BYTES > limit;
  }

  private static long size(String key, @Nullable Mapping mapping) {
    if (mapping == null) {
      return 0;
    }
    int length =
        key.length()
            + mapping.callContext().length()
            + length(mapping.previousCallContext())
            + length(mapping.application())
            + mapping.instance().length();
    return (long) BASE_BYTES + length + Math.max(0, length - MAX_TYPICAL_LENGTH);
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }
}
