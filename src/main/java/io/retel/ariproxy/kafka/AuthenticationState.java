// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * Whether Kafka accepts a consumer's login.
 *
 * <p>A rejection is an exception; on an idle topic, only the consumer's metrics show recovery. Not
 * thread-safe.
 */
final class AuthenticationState {

  /**
   * Time without a rejection after which responses show that the login is accepted: the client
   * reconnects at least once a second.
   */
  static final Duration RECOVERY = Duration.ofSeconds(10);

  private final Supplier<Map<MetricName, ? extends Metric>> metrics;
  private final LongSupplier nanoTime;

  /** Since the login was last accepted, by this or an earlier consumer of the group. */
  private final AtomicBoolean rejected;

  private long rejectedNanos;
  private double accepted;
  private double responses;

  /**
   * @param metrics the metrics of the consumer
   * @param nanoTime such as {@link System#nanoTime}
   * @param rejected of the group: Camel can replace a consumer whose login is rejected
   */
  AuthenticationState(
      Supplier<Map<MetricName, ? extends Metric>> metrics,
      LongSupplier nanoTime,
      AtomicBoolean rejected) {
    this.metrics = metrics;
    this.nanoTime = nanoTime;
    this.rejected = rejected;
    this.rejectedNanos = nanoTime.getAsLong();
  }

  /** Returns whether the login was rejected and has not been accepted since. */
  boolean isRejected() {
    return rejected.get();
  }

  /** Records a rejection; returns whether it is the first since the login was last accepted. */
  boolean rejected() {
    rejectedNanos = nanoTime.getAsLong();
    accepted = accepted();
    responses = responses();
    return !rejected.getAndSet(true);
  }

  /**
   * Records a successful poll; returns whether it shows that a rejected login is accepted again.
   */
  boolean recovered() {
    // with TLS 1.3 a client certificate appears to be accepted until the broker rejects it, so
    // require a response
    boolean recovered =
        rejected.get()
            && responses() > responses
            && (accepted() > accepted || isRejectionLongAgo());
    if (recovered) {
      rejected.set(false);
    }
    return recovered;
  }

  /** A rejection can be thrown after another connection has been accepted for good. */
  private boolean isRejectionLongAgo() {
    return nanoTime.getAsLong() - rejectedNanos >= RECOVERY.toNanos();
  }

  private double accepted() {
    return total("successful-authentication-total");
  }

  private double responses() {
    return total("response-total");
  }

  private double total(String name) {
    return metrics.get().entrySet().stream()
        .filter(metric -> metric.getKey().name().equals(name))
        .filter(metric -> metric.getKey().group().equals("consumer-metrics"))
        .mapToDouble(metric -> (double) metric.getValue().metricValue())
        .sum();
  }
}
