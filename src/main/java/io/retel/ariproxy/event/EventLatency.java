// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.AsteriskTime;
import io.retel.ariproxy.metrics.Meters;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * Measures the age of an event when Kafka acknowledges it.
 *
 * <p>Compares the clocks of two machines: if Asterisk's is ahead, the latency is recorded as zero,
 * and if it is more than a day behind, as from 1970, none is recorded. Synthetic events have no
 * Asterisk timestamp and are not measured.
 */
final class EventLatency {

  private static final long UNKNOWN = Long.MIN_VALUE;

  /** Beyond it, the clock of Asterisk is wrong: six ages since 1970 would overflow the sum. */
  private static final long MAX_AGE_MILLIS = Duration.ofDays(1).toMillis();

  private final Timer latency;
  private final InstantSource clock;

  EventLatency(MeterRegistry meters, InstantSource clock) {
    this.latency = Meters.EVENTS_LATENCY.timer(meters);
    this.clock = clock;
  }

  /**
   * Returns when Asterisk sent an event, in milliseconds since 1970.
   *
   * @return {@link #UNKNOWN} for a synthetic event or without a valid timestamp
   */
  static long sentAt(AriEvent event) {
    if (event.timestamp().isEmpty() || event.isSynthetic()) {
      return UNKNOWN;
    }
    try {
      return AsteriskTime.epochMillis(event.timestamp());
    } catch (DateTimeException e) {
      // no known Asterisk version uses another format; publish the event anyway
      return UNKNOWN;
    }
  }

  /**
   * Records the latency of an event that Kafka has just acknowledged.
   *
   * @param sentAt the result of {@link #sentAt}
   */
  void onAcknowledged(long sentAt) {
    if (sentAt == UNKNOWN) {
      return;
    }
    long age = clock.millis() - sentAt;
    if (age <= MAX_AGE_MILLIS) {
      latency.record(Math.max(0, age), TimeUnit.MILLISECONDS);
    }
  }
}
