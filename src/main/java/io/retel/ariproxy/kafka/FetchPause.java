// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pauses fetching while the commands in flight reach a limit, until they are at half of it.
 *
 * <p>For the polling thread; only {@link #isPaused} is thread-safe.
 */
final class FetchPause {

  private static final Logger LOG = LoggerFactory.getLogger(FetchPause.class);

  /** After which a pause is more than a burst. */
  private static final Duration LONG_PAUSE = Duration.ofSeconds(10);

  private static final Duration LOG_INTERVAL = Duration.ofMinutes(1);

  /**
   * Limit of the size of incomplete commands as received, as a share of the heap: a sixteenth,
   * since a proxy has up to two command topics. It includes neither one poll nor what parsing adds.
   */
  private static final long MAX_BYTES = Runtime.getRuntime().maxMemory() / 16;

  /**
   * Limit of the offsets from the one on that Kafka has acknowledged: one poll must fit as well.
   */
  private static final long MAX_WINDOW = CompletedOffsets.MAX_WINDOW - 1_000;

  private final OffsetTracker tracker;
  private final int maxInFlight;
  private volatile boolean paused;
  private Moment pausedAt = Moment.now();
  private @Nullable Moment logged;

  /**
   * @param maxInFlight limit of incomplete commands
   */
  FetchPause(OffsetTracker tracker, int maxInFlight) {
    this.tracker = tracker;
    this.maxInFlight = maxInFlight;
  }

  /** Whether fetching pauses, as the last {@link #update} has decided. */
  boolean isPaused() {
    return paused;
  }

  /** Decides whether fetching pauses, and logs a long pause: commands of all calls wait. */
  boolean update() {
    if (paused) {
      paused = !isWithin(maxInFlight / 2, MAX_BYTES / 2, CompletedOffsets.MAX_WINDOW / 2);
    } else if (!isWithin(maxInFlight - 1, MAX_BYTES - 1, MAX_WINDOW - 1)) {
      paused = true;
      pausedAt = Moment.now();
    }
    if (paused) {
      logLongPause();
    }
    return paused;
  }

  private boolean isWithin(int commands, long bytes, long window) {
    return tracker.incomplete() <= commands
        && tracker.incompleteBytes() <= bytes
        && tracker.unacknowledged() <= window;
  }

  private void logLongPause() {
    Moment now = Moment.now();
    Duration length = now.since(pausedAt);
    if (length.compareTo(LONG_PAUSE) < 0
        || (logged != null && now.since(logged).compareTo(LOG_INTERVAL) < 0)) {
      return;
    }
    logged = now;
    LOG.warn(
        "No commands fetched for {} s: {} in flight, {} bytes, {} offsets; check which calls or"
            + " operations are slow or hang in Asterisk (health check commands), and that Kafka is"
            + " up",
        length.toSeconds(),
        tracker.incomplete(),
        tracker.incompleteBytes(),
        tracker.unacknowledged());
  }
}
