// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Restores the mappings of the call-context store at startup. The last value of a key counts; a
 * compacted topic can contain earlier ones, also of mappings that have ended. For one thread.
 */
final class MappingRestore {

  private static final Logger LOG = LoggerFactory.getLogger(MappingRestore.class);

  /** Of the heap for mappings, for the keys of each kind: about 80,000 with 1 GB. */
  private static final int KEYS_SHARE = 8;

  private static final long MIN_KEYS_BYTES = 64 << 10;

  private final Map<String, Mapping> mappings;
  private final MappingHeap heap;
  private final ActiveCalls activeCalls;
  private final WriteBehind writeBehind;
  private final Duration idleTimeout;
  private final LongSupplier now;
  private final UnaryOperator<String> shared;

  // by their last value so far
  private final Keys expired;
  private final Keys malformed;
  private final Keys notRestored;

  /** A malformed key, and the reason. */
  private String malformedExample = "";

  /** Keys to restore in the second pass; null in the first one. */
  private @Nullable Set<String> secondPass;

  /** Keys of the store, within a limit of the heap. */
  private static final class Keys {

    /** Of an entry, in addition to two bytes for each character. */
    private static final int ENTRY_BYTES = 100;

    private final Set<String> keys = new HashSet<>();
    private final long maxBytes;
    private long bytes;
    private boolean complete = true;

    Keys(long maxBytes) {
      this.maxBytes = maxBytes;
    }

    private static long size(String key) {
      return ENTRY_BYTES + 2L * key.length();
    }

    void add(String key) {
      if (bytes + size(key) > maxBytes) {
        complete = false;
      } else if (keys.add(key)) {
        bytes += size(key);
      }
    }

    void remove(String key) {
      if (keys.remove(key)) {
        bytes -= size(key);
      }
    }

    void clear() {
      keys.clear();
      bytes = 0;
      complete = true;
    }

    boolean isEmpty() {
      return keys.isEmpty() && complete;
    }

    /** Returns their number, such as {@code 3}, or {@code more than 100000}. */
    String count() {
      return (complete ? "" : "more than ") + keys.size();
    }
  }

  /**
   * @param mappings where they are put, by {@link Resource#key()}
   * @param idleTimeout older ones are not restored
   * @param now in seconds since the epoch
   * @param shared returns an equal name of an application
   */
  MappingRestore(
      Map<String, Mapping> mappings,
      MappingHeap heap,
      ActiveCalls activeCalls,
      WriteBehind writeBehind,
      Duration idleTimeout,
      LongSupplier now,
      UnaryOperator<String> shared) {
    this.mappings = mappings;
    this.heap = heap;
    long maxKeysBytes = Math.max(MIN_KEYS_BYTES, heap.limit() / KEYS_SHARE);
    this.expired = new Keys(maxKeysBytes);
    this.malformed = new Keys(maxKeysBytes);
    this.notRestored = new Keys(maxKeysBytes);
    this.activeCalls = activeCalls;
    this.writeBehind = writeBehind;
    this.idleTimeout = idleTimeout;
    this.now = now;
    this.shared = shared;
  }

  /** See {@link CallContexts#restore}. */
  void restore(String key, @Nullable String storedJson) {
    if (secondPass != null && !secondPass.contains(key)) {
      return;
    }
    expired.remove(key);
    malformed.remove(key);
    notRestored.remove(key);
    Mapping mapping = storedJson == null ? null : read(key, storedJson);
    Mapping restored =
        mappings.compute(
            key,
            (sameKey, existing) -> {
              if (heap.replace(key, existing, mapping)) {
                activeCalls.replace(existing, mapping);
                return mapping;
              }
              // the existing one is outdated
              heap.replace(key, existing, null);
              activeCalls.replace(existing, null);
              return null;
            });
    if (mapping != null && restored == null) {
      notRestored.add(key);
    }
  }

  /** Returns the mapping, or null if it has expired or is malformed. */
  private @Nullable Mapping read(String key, String storedJson) {
    try {
      checkKey(key);
      Mapping mapping = StoredMapping.fromJson(storedJson).toMapping(shared);
      long current = now.getAsLong();
      if (mapping.usedAt() > current) {
        // by a clock that was ahead
        return mapping.usedAt(current);
      }
      if (mapping.usedAt() > current - idleTimeout.toSeconds()) {
        return mapping;
      }
      expired.add(key);
    } catch (JsonProcessingException | IllegalArgumentException e) {
      malformed.add(key);
      malformedExample = LogText.abbreviate(key) + ": " + ErrorMessages.ownMessage(e);
    }
    return null;
  }

  /** Rejects a key that no mapping has: nothing would end it. */
  private static void checkKey(String key) {
    Resource resource = Resource.fromKey(key);
    if (!resource.type().isCallScoped()
        || !resource.key().equals(key)
        || resource.id().isEmpty()
        || Resource.isTooLong(resource.id())) {
      throw new IllegalArgumentException("no call has such a resource");
    }
  }

  /**
   * See {@link CallContexts#completeRestore}.
   *
   * @return whether it is complete
   */
  boolean complete() {
    if (secondPass == null && !notRestored.keys.isEmpty() && !heap.isFull()) {
      // later values have ended mappings that took their place
      secondPass = Set.copyOf(notRestored.keys);
      return false;
    }
    expired.keys.forEach(key -> writeBehind.enqueue(key, Optional.empty()));
    if (!notRestored.isEmpty()) {
      LOG.warn(
          "The heap for mappings ({} MB) is full: {} mappings of the call-context store not"
              + " restored; set a larger -Xmx and restart",
          heap.limit() >> 20,
          notRestored.count());
    }
    if (!malformed.isEmpty()) {
      LOG.warn(
          "{} mappings of the call-context store are malformed and not restored, such as {}",
          malformed.count(),
          malformedExample);
    }
    List.of(expired, notRestored, malformed).forEach(Keys::clear);
    secondPass = null;
    return true;
  }
}
