// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits the heap of all mappings, with their changes that the store has not acknowledged
 * (docs/contract.md#mapping-limit). Thread-safe.
 *
 * <p>A new mapping must fit in the limit; existing ones can exceed it by an eighth, so that calls
 * continue.
 */
final class MappingHeap {

  private static final Logger LOG = LoggerFactory.getLogger(MappingHeap.class);

  /**
   * Heap of a mapping without its key's characters and without texts, as measured on Java 17: the
   * mapping 64, the key 44, the cache 80, {@link ActiveCalls} 24.
   */
  private static final int BASE_BYTES = 212;

  /** Heap of a text without its characters, with its place in the mapping. */
  private static final int TEXT_BYTES = 68;

  /** Beyond this length, each character counts as two bytes, as one outside Latin-1 has. */
  private static final int MAX_TYPICAL_LENGTH = 128;

  /** Heap of the mapping of a channel with Asterisk's own id and a UUID as call context. */
  static final int TYPICAL_BYTES = 250;

  /** A peer that fills the heap does not fill the log. */
  private static final Duration LOG_INTERVAL = Duration.ofMinutes(1);

  private final long limit;
  private final LongSupplier pendingBytes;
  private final AtomicLong mappingBytes = new AtomicLong();
  private final LongAdder refused = new LongAdder();
  private volatile @Nullable Moment refusalLogged;

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

  /** Counts a change that did not fit, with a line a minute. */
  void refuse(String key) {
    refused.increment();
    Moment now = Moment.now();
    Moment last = refusalLogged;
    if (last == null || now.since(last).compareTo(LOG_INTERVAL) >= 0) {
      refusalLogged = now;
      LOG.warn(
          "The heap for mappings ({} MB) is full: new resources are not mapped, such as {}; set a"
              + " larger -Xmx",
          limit >> 20,
          LogText.abbreviate(key));
    }
  }

  /** Number of changes that did not fit. */
  long refused() {
    return refused.sum();
  }

  /** The sentence for a full heap. */
  String full() {
    return "The heap for mappings (%d MB) is full".formatted(limit >> 20);
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
    int length = key.length();
    if (mapping.application() != null) {
      length += mapping.application().length();
    }
    long bytes = BASE_BYTES;
    for (String text : mapping.texts()) {
      length += text.length();
      bytes += TEXT_BYTES;
    }
    return bytes + length + Math.max(0, length - MAX_TYPICAL_LENGTH);
  }
}
