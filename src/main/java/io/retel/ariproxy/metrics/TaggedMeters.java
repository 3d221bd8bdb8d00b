package io.retel.ariproxy.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Meters of one name by their tags: a registry's own look-up makes garbage for each message.
 *
 * <p>Bounded, since a tag's value may come from outside: what is beyond the bound shares one meter.
 * Safe for use by many threads.
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
   * @param register makes a meter
   * @param others the tags of what is beyond the bound
   */
  public TaggedMeters(Function<K, M> factory, K overflowTags) {
    this.factory = factory;
    this.overflowTags = overflowTags;
  }

  /** The meter with these tags. */
  public M get(K tags) {
    M existing = meters.get(tags);
    if (existing != null) {
      return existing;
    }
    return meters.computeIfAbsent(meters.size() < MAX_METERS ? tags : overflowTags, factory);
  }
}
