// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last stored value of each application's subscriptions, during a restore. Those of other
 * applications than the proxy's are limited together. For one thread.
 */
public final class StoredSubscriptions {

  private static final Logger LOG = LoggerFactory.getLogger(StoredSubscriptions.class);

  /** Of a value, and of all values of other applications; with room for event filters. */
  static final int MAX_CHARACTERS = 4 * Subscriptions.MAX_BYTES;

  /** What an entry takes in addition to its texts, as characters of two bytes. */
  private static final int ENTRY_CHARACTERS = 100;

  private final Set<String> ownKeys;
  private final Map<String, String> values = new HashMap<>();
  private long otherCharacters;
  private int ignored;

  /**
   * @param own the proxy's applications
   */
  public StoredSubscriptions(Collection<String> own) {
    this.ownKeys =
        own.stream()
            .map(application -> Subscriptions.KEY_PREFIX + application)
            .collect(Collectors.toSet());
  }

  /**
   * Adds a value instead of an earlier one of its key.
   *
   * @param value null if it has been deleted
   */
  public void put(String key, @Nullable String value) {
    boolean isOwn = ownKeys.contains(key);
    String earlier = values.remove(key);
    if (!isOwn && earlier != null) {
      otherCharacters -= size(key, earlier);
    }
    if (value == null) {
      return;
    }
    if (size(key, value) + (isOwn ? 0 : otherCharacters) > MAX_CHARACTERS) {
      ignored++;
      return;
    }
    values.put(key, value);
    if (!isOwn) {
      otherCharacters += size(key, value);
    }
  }

  private Optional<String> restore(String key, Subscriptions subscriptions) {
    return Optional.ofNullable(values.get(key)).flatMap(value -> subscriptions.restore(key, value));
  }

  private static long size(String key, String value) {
    return (long) key.length() + value.length() + ENTRY_CHARACTERS;
  }

  /**
   * Restores them. Logs a line for each own value with a problem, one for all others, and one with
   * the number of values that did not fit.
   */
  public void restoreTo(Subscriptions subscriptions) {
    // own ones first: others do not take their place
    ownKeys.forEach(key -> restore(key, subscriptions).ifPresent(LOG::warn));
    List<String> problems =
        values.keySet().stream()
            .filter(key -> !ownKeys.contains(key))
            .sorted()
            .flatMap(key -> restore(key, subscriptions).stream())
            .toList();
    if (problems.size() == 1) {
      LOG.warn(problems.get(0));
    } else if (!problems.isEmpty()) {
      LOG.warn("{}; and {} more of other applications", problems.get(0), problems.size() - 1);
    }
    if (ignored > 0) {
      LOG.warn(
          "{} values of subscriptions in the call-context store not restored: more than {} MB,"
              + " alone or with those of other applications",
          ignored,
          MAX_CHARACTERS >> 20);
    }
  }
}
