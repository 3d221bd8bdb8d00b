// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Bounded cache of one meter's instances by tags, since a registry lookup allocates per message.
 *
 * <p>Bounded because tag values can come from outside: tags beyond the bound share one instance.
 * Thread-safe.
 *
 * @param <K> the tags
 * @param <M> the meter
 */
public final class TaggedMeters<K, M> {

  private static final int MAX_METERS = 1_000;

  private final Map<K, M> meters = new ConcurrentHashMap<>();
  private final Function<K, M> factory;
  private final K overflowTags;

  /**
   * @param factory creates an instance
   * @param overflowTags the tags of the instance that is shared beyond the bound
   */
  public TaggedMeters(Function<K, M> factory, K overflowTags) {
    this.factory = factory;
    this.overflowTags = overflowTags;
  }

  /** Returns the instance with these tags, or the shared one. */
  public M get(K tags) {
    M existing = meters.get(tags);
    if (existing != null) {
      return existing;
    }
    return meters.computeIfAbsent(meters.size() < MAX_METERS ? tags : overflowTags, factory);
  }
}
