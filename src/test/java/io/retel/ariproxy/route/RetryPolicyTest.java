// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Durations that follow from a retry policy. */
class RetryPolicyTest {

  /** Delays double, and Camel limits each to a minute. */
  @ParameterizedTest
  @CsvSource({"0, 200, 0", "1, 200, 200", "3, 200, 1400", "3, 40000, 160000"})
  void totalDelayIsSumOfDoublingDelays(int maxRetries, long firstDelayMs, long expectedMs) {
    RetryPolicy policy = new RetryPolicy(maxRetries, Duration.ofMillis(firstDelayMs));
    assertThat(policy.totalDelay()).isEqualTo(Duration.ofMillis(expectedMs));
    assertThat(policy.maxAttempts()).isEqualTo(1 + maxRetries);
  }
}
