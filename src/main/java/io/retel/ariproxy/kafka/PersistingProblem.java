// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A state of a consumer group that is a problem if it persists, also while Camel replaces the
 * consumer. Logged once it does, and once it has ended; described as it was reported last.
 * Thread-safe.
 */
final class PersistingProblem {

  private static final Logger LOG = LoggerFactory.getLogger(PersistingProblem.class);

  /** After which a state that was not reported again has ended unnoticed. */
  private static final Duration MAX_INTERVAL = Duration.ofMinutes(2);

  private final Duration tolerance;
  private final Supplier<Moment> clock;
  private @Nullable Moment since;
  private @Nullable Moment last;
  private volatile String description = "";

  /**
   * @param tolerance how long the state can last without being one
   */
  PersistingProblem(Duration tolerance, Supplier<Moment> clock) {
    this.tolerance = tolerance;
    this.clock = clock;
  }

  /** Records that the state is present, and describes it in a sentence without a period. */
  synchronized void present(Supplier<String> sentence) {
    Moment now = clock.get();
    if (since == null || last == null || now.since(last).compareTo(MAX_INTERVAL) > 0) {
      since = now;
      description = "";
    }
    last = now;
    if (now.since(since).compareTo(tolerance) >= 0) {
      boolean known = !description.isEmpty();
      description = sentence.get();
      if (!known) {
        LOG.warn("{}", description);
      }
    }
  }

  /** Records that it has ended. */
  synchronized void ended() {
    since = null;
    if (!description.isEmpty()) {
      LOG.info("No longer: {}", description);
      description = "";
    }
  }

  /** Records that it is unknown, as without partitions. */
  synchronized void forget() {
    since = null;
    description = "";
  }

  /** Returns the sentence once the state has persisted; otherwise empty. */
  Optional<String> describe() {
    return Optional.of(description).filter(text -> !text.isEmpty());
  }
}
