// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import com.github.benmanes.caffeine.cache.Weigher;
import io.retel.ariproxy.ari.Resource;
import java.time.Duration;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * The resources around a mapping whose id is used again (docs/contract.md#reused-ids): earlier
 * ones, which can still send events, and the successor that a command is creating. Thread-safe.
 *
 * <p>Entries are limited in number and size and expire: earlier resources after the idle timeout,
 * since an outage of Kafka can delay their events, successors after the grace period. Without an
 * entry, an event belongs to the mapped resource.
 */
final class ReusedIds {

  private static final int MAX_ENTRIES = 10_000;

  /** Heap of the texts of an entry, in bytes. A larger entry counts as several. */
  private static final int TYPICAL_SIZE = 1_024;

  /** Of each of the two caches, in the heap for mappings. */
  private static final int SHARE = 8;

  private record EarlierInstance(String key, String instance)
      implements Comparable<EarlierInstance> {

    private static final Comparator<EarlierInstance> ORDER =
        Comparator.comparing(EarlierInstance::key).thenComparing(EarlierInstance::instance);

    @Override
    public int compareTo(EarlierInstance other) {
      return ORDER.compare(this, other);
    }
  }

  /** The call contexts of earlier resources. */
  private final Cache<EarlierInstance, String> earlier;

  /** The mappings of successors, by {@link Resource#key()}. */
  private final Cache<String, Mapping> successors;

  /**
   * @param maxBytes the heap for mappings, of which the entries can take a quarter in addition
   */
  ReusedIds(Duration idleTimeout, Duration gracePeriod, Ticker ticker, long maxBytes) {
    this.earlier =
        cache(
            idleTimeout,
            ticker,
            maxBytes,
            (id, callContext) -> id.key().length() + id.instance().length() + callContext.length());
    this.successors =
        cache(
            gracePeriod,
            ticker,
            maxBytes,
            (key, mapping) ->
                key.length() + mapping.instance().length() + mapping.callContext().length());
  }

  private static <K, V> Cache<K, V> cache(
      Duration timeout, Ticker ticker, long maxBytes, Weigher<K, V> length) {
    return Caffeine.newBuilder()
        .maximumWeight(Math.min((long) MAX_ENTRIES * TYPICAL_SIZE, maxBytes / SHARE))
        // a character outside Latin-1 makes each one take two bytes
        .weigher((K key, V value) -> Math.max(TYPICAL_SIZE, 2 * length.weigh(key, value)))
        .expireAfterWrite(timeout)
        .ticker(ticker)
        .executor(Runnable::run)
        .build();
  }

  /** Returns the call context of an earlier resource, or null if it is not known to be one. */
  @Nullable String earlierCallContext(Resource resource) {
    return earlier.getIfPresent(new EarlierInstance(resource.key(), resource.instance()));
  }

  /** Records a resource whose mapping is replaced; ignored if its instance is unknown. */
  void addEarlier(String key, @Nullable Mapping replaced) {
    if (replaced != null && !replaced.instance().isEmpty()) {
      earlier.put(new EarlierInstance(key, replaced.instance()), replaced.callContext());
    }
  }

  /** Moves an earlier resource to another call context. */
  void moveEarlier(Resource resource, String callContext) {
    earlier.put(new EarlierInstance(resource.key(), resource.instance()), callContext);
  }

  /** Records that a command is creating a resource although the id has an active mapping. */
  void addSuccessor(String key, Mapping successor) {
    successors.put(key, successor);
  }

  /** Returns and removes the successor if the resource can be it, or null. */
  @Nullable Mapping takeSuccessor(Resource resource) {
    Mapping successor = successors.getIfPresent(resource.key());
    if (successor == null || successor.isOfOther(resource)) {
      return null;
    }
    successors.invalidate(resource.key());
    return successor.withInstance(resource.instance());
  }

  boolean hasSuccessor(Resource resource) {
    return successors.getIfPresent(resource.key()) != null;
  }

  /** Removes the successor of this call context. */
  void removeSuccessor(Resource resource, String callContext) {
    successors
        .asMap()
        .computeIfPresent(
            resource.key(),
            (key, successor) -> successor.callContext().equals(callContext) ? null : successor);
  }
}
