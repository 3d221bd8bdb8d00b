// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.junit.jupiter.api.Test;

/** Rejection and recovery of a consumer's login. */
class AuthenticationStateTest {

  private final Map<MetricName, Metric> metrics = new HashMap<>();
  private long nanos = Long.MAX_VALUE;
  private final AtomicBoolean rejected = new AtomicBoolean();
  private final AuthenticationState authentication =
      new AuthenticationState(() -> metrics, () -> nanos, rejected);

  @Test
  void recoversWhenBrokerAcceptsAndResponds() {
    count(1, 10);
    assertThat(authentication.rejected()).isTrue();
    assertThat(authentication.recovered()).isFalse();
    count(2, 11);
    assertThat(authentication.recovered()).isTrue();
    assertThat(authentication.isRejected()).isFalse();
    assertThat(authentication.recovered()).as("already reported").isFalse();
  }

  @Test
  void doesNotRecoverWhenBrokerAcceptsWithoutResponse() {
    count(1, 10);
    authentication.rejected();
    count(2, 10);
    assertThat(authentication.recovered()).isFalse();
    assertThat(authentication.rejected()).as("same rejection").isFalse();
    assertThat(authentication.isRejected()).isTrue();
  }

  @Test
  void doesNotRecoverByResponsesOnExistingConnections() {
    count(1, 10);
    authentication.rejected();
    count(1, 20);
    assertThat(authentication.recovered()).isFalse();
  }

  @Test
  void recoversWithoutAnotherLoginOnceRejectionsEnd() {
    count(2, 10);
    authentication.rejected();
    nanos += AuthenticationState.RECOVERY.toNanos();
    assertThat(authentication.recovered()).as("no response").isFalse();
    count(2, 11);
    assertThat(authentication.recovered()).isTrue();
  }

  /** Camel replaces a consumer whose login is rejected while partitions are assigned. */
  @Test
  void nextConsumerReportsRecovery() {
    count(1, 10);
    authentication.rejected();
    metrics.clear();
    AuthenticationState next = new AuthenticationState(() -> metrics, () -> nanos, rejected);
    assertThat(next.isRejected()).isTrue();
    assertThat(next.rejected()).as("reported by the first").isFalse();
    assertThat(next.recovered()).isFalse();
    count(1, 1);
    assertThat(next.recovered()).isTrue();
    assertThat(authentication.isRejected()).isFalse();
  }

  @Test
  void reportsNewRejectionAfterRecovery() {
    count(1, 10);
    authentication.rejected();
    count(2, 11);
    authentication.recovered();
    assertThat(authentication.rejected()).isTrue();
  }

  private void count(double accepted, double responses) {
    set("successful-authentication-total", accepted);
    set("response-total", responses);
  }

  private void set(String name, double value) {
    MetricName metric = new MetricName(name, "consumer-metrics", "", Map.of());
    metrics.put(
        metric,
        new Metric() {
          @Override
          public MetricName metricName() {
            return metric;
          }

          @Override
          public Object metricValue() {
            return value;
          }
        });
  }
}
