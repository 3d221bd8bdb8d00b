// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Durations and times of day across steps of the system clock. */
class MomentTest {

  private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

  @Test
  void durationIgnoresSystemClock() {
    Moment start = new Moment(NOON, 0);
    Moment end = new Moment(NOON.minus(Duration.ofHours(1)), Duration.ofSeconds(12).toNanos());
    assertThat(end.since(start)).isEqualTo(Duration.ofSeconds(12));
  }

  @Test
  void earlierMomentIsBeforeLaterOneAfterTheClockWasSetBack() {
    Moment start = new Moment(NOON, 0);
    Moment end = new Moment(NOON.minus(Duration.ofHours(1)), Duration.ofSeconds(12).toNanos());
    assertThat(end.timeOfDayOf(start)).isEqualTo(Instant.parse("2026-01-01T10:59:48Z"));
  }
}
