// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Tests the age limit of commands for a group without committed offsets. */
class LastConsumptionTest {

  private static final Instant START = Instant.parse("2030-01-01T00:00:00Z");
  private static final Instant COMMIT = START.plus(Duration.ofDays(14));

  @Test
  void limitsAgeByStartUntilTheGroupConsumes() {
    LastConsumption consumption = new LastConsumption(START, Duration.ofMinutes(1), () -> COMMIT);
    assertThat(consumption.oldestCommand()).isEqualTo(START.minusSeconds(60));
    consumption.record();
    assertThat(consumption.oldestCommand()).isEqualTo(COMMIT.minusSeconds(60));
  }
}
