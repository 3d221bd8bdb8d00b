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
public final class Tagged<K, M> {

  private static final int MOST = 1_000;

  private final Map<K, M> meters = new ConcurrentHashMap<>();
  private final Function<K, M> register;
  private final K others;

  /**
   * @param register makes a meter
   * @param others the tags of what is beyond the bound
   */
  public Tagged(Function<K, M> register, K others) {
    this.register = register;
    this.others = others;
  }

  /** The meter with these tags. */
  public M with(K tags) {
    M known = meters.get(tags);
    if (known != null) {
      return known;
    }
    return meters.computeIfAbsent(meters.size() < MOST ? tags : others, register);
  }
}
