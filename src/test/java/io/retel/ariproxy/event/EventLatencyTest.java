// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EventLatencyTest {

  private static final Instant NOW = Instant.parse("2026-11-29T12:00:00Z");

  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final EventLatency latency = new EventLatency(meters, InstantSource.fixed(NOW));

  @Test
  void recordsAge() {
    latency.onAcknowledged(NOW.minusMillis(250).toEpochMilli());

    assertThat(timer().count()).isEqualTo(1);
    assertThat(timer().totalTime(TimeUnit.MILLISECONDS)).isEqualTo(250);
  }

  @Test
  void recordsZeroIfClockOfAsteriskIsAhead() {
    latency.onAcknowledged(NOW.plusSeconds(5).toEpochMilli());

    assertThat(timer().count()).isEqualTo(1);
    assertThat(timer().totalTime(TimeUnit.MILLISECONDS)).isZero();
  }

  /** Six of them would overflow the sum of nanoseconds. */
  @Test
  void ignoresClockOf1970() {
    for (int i = 0; i < 6; i++) {
      latency.onAcknowledged(0);
    }
    latency.onAcknowledged(NOW.minus(Duration.ofDays(1)).minusMillis(1).toEpochMilli());

    assertThat(timer().count()).isZero();
    assertThat(timer().totalTime(TimeUnit.MILLISECONDS)).isZero();
  }

  private Timer timer() {
    return meters.get(Meters.EVENTS_LATENCY.meterName()).timer();
  }
}
