// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Delays double with each failure up to a maximum, with jitter. */
class BackoffTest {

  private static final double NEARLY_ONE = Math.nextDown(1.0);

  @Test
  void doublesUpToMaximum() {
    assertThat(
            IntStream.range(0, 8).mapToLong(i -> Backoff.delay(250, 15_000, i, () -> NEARLY_ONE)))
        .containsExactly(250L, 500L, 1_000L, 2_000L, 4_000L, 8_000L, 15_000L, 15_000L);
  }

  @Test
  void delaysAtLeastHalf() {
    assertThat(IntStream.range(0, 8).mapToLong(i -> Backoff.delay(250, 15_000, i, () -> 0)))
        .containsExactly(125L, 250L, 500L, 1_000L, 2_000L, 4_000L, 7_500L, 7_500L);
  }

  @Test
  void spreadsDelays() {
    Random random = new Random(1);
    assertThat(
            IntStream.range(0, 1_000)
                .mapToLong(i -> Backoff.delay(250, 15_000, 20, random::nextDouble))
                .distinct()
                .count())
        .isGreaterThan(800);
  }

  @Test
  void staysInBoundsForExtremeInputs() {
    assertThat(Backoff.delay(250, 15_000, Integer.MAX_VALUE, () -> NEARLY_ONE)).isEqualTo(15_000);
    assertThat(Backoff.delay(250, Long.MAX_VALUE, Integer.MAX_VALUE, () -> NEARLY_ONE))
        .isPositive();
    assertThat(Backoff.delay(0, 15_000, 3, () -> 0)).isEqualTo(1);
    assertThat(Backoff.delay(500, 100, 0, () -> NEARLY_ONE)).isEqualTo(100);
  }
}
