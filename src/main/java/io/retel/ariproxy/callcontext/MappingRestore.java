// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Restores the mappings of the call-context store at startup. Thread-safe. */
final class MappingRestore {

  private static final Logger LOG = LoggerFactory.getLogger(MappingRestore.class);

  /** Bounds the heap of a restore; the next one deletes the others. */
  private static final int MAX_EXPIRED_KEYS = 100_000;

  private final Map<String, Mapping> mappings;
  private final MappingHeap heap;
  private final WriteBehind writeBehind;
  private final Duration idleTimeout;
  private final LongSupplier now;
  private final UnaryOperator<String> shared;

  /** Stored mappings not used within the idle timeout. */
  private final Set<String> expiredKeys = ConcurrentHashMap.newKeySet();

  /** Number of stored values that did not fit. */
  private final LongAdder notRestored = new LongAdder();

  /**
   * @param mappings where they are put, by {@link Resource#key()}
   * @param idleTimeout older ones are not restored
   * @param now in seconds since the epoch
   * @param shared returns an equal name of an application
   */
  MappingRestore(
      Map<String, Mapping> mappings,
      MappingHeap heap,
      WriteBehind writeBehind,
      Duration idleTimeout,
      LongSupplier now,
      UnaryOperator<String> shared) {
    this.mappings = mappings;
    this.heap = heap;
    this.writeBehind = writeBehind;
    this.idleTimeout = idleTimeout;
    this.now = now;
    this.shared = shared;
  }

  /** See {@link CallContexts#restore}. */
  void restore(String key, @Nullable String storedJson) {
    try {
      Mapping mapping =
          storedJson == null ? null : StoredMapping.fromJson(storedJson).toMapping(shared);
      String resourceKey = Resource.fromKey(key).key();
      boolean isExpired =
          mapping != null && now.getAsLong() - mapping.usedAt() >= idleTimeout.toSeconds();
      put(resourceKey, isExpired ? null : mapping);
      if (!isExpired) {
        expiredKeys.remove(key);
      } else if (expiredKeys.size() < MAX_EXPIRED_KEYS) {
        expiredKeys.add(key);
      }
    } catch (JsonProcessingException | IllegalArgumentException e) {
      LOG.warn("Ignoring malformed stored mapping for {}: {}", key, e.getMessage());
    }
  }

  private void put(String key, @Nullable Mapping mapping) {
    mappings.compute(
        key,
        (sameKey, existing) -> {
          if (heap.replace(key, existing, mapping)) {
            return mapping;
          }
          notRestored.increment();
          return existing;
        });
  }

  /** Deletes expired mappings from the store. */
  void complete() {
    expiredKeys.forEach(key -> writeBehind.enqueue(key, Optional.empty()));
    expiredKeys.clear();
    long skipped = notRestored.sumThenReset();
    if (skipped > 0) {
      LOG.warn(
          "The heap for mappings ({} MB) is full: {} values of the call-context store not"
              + " restored; set a larger -Xmx and restart",
          heap.limit() >> 20,
          skipped);
    }
  }
}
