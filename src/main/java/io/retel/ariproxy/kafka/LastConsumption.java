// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * When a consumer group was last known to consume: when Kafka last acknowledged its offsets, or
 * when the process started.
 *
 * <p>If the offsets then expire, during a long pause, the group continues with the commands since,
 * instead of executing all since the start of the process again. Thread-safe.
 */
final class LastConsumption {

  private final Duration lookback;
  private final InstantSource clock;
  private volatile Instant moment;

  /**
   * @param start of the process
   * @param lookback how much older the commands can be that the group starts with
   */
  LastConsumption(Instant start, Duration lookback, InstantSource clock) {
    this.moment = start;
    this.lookback = lookback;
    this.clock = clock;
  }

  /** Records that the group consumes now. */
  void record() {
    moment = clock.instant();
  }

  /** Returns the age limit of the commands that the group starts with. */
  Instant oldestCommand() {
    return moment.minus(lookback);
  }
}
