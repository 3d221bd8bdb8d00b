// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * For how long Kafka throttles the proxy's clients, because of a quota.
 *
 * <p>Kafka responds to a throttled client at once, and the client sends its next request after the
 * time in the response: a stall of that time is not an outage. The times are the longest of the
 * last 30 to 60 s, the window of the clients' metrics. Thread-safe.
 */
public final class Throttling {

  /** Shorter ones delay events and commands by little. */
  static final Duration REPORTED = Duration.ofSeconds(1);

  private final Supplier<Duration> produce;
  private final Supplier<Duration> fetch;

  /**
   * @param produce how long the producers wait between requests
   * @param fetch how long the consumers of commands do
   */
  Throttling(Supplier<Duration> produce, Supplier<Duration> fetch) {
    this.produce = produce;
    this.fetch = fetch;
  }

  public static Throttling of(ProxyKafkaClientFactory clients) {
    return new Throttling(clients::produceThrottleTime, clients::fetchThrottleTime);
  }

  /** Returns the largest value of a client's metric, in milliseconds; zero if it has none. */
  static Duration longest(Map<MetricName, ? extends Metric> metrics, String name) {
    return Duration.ofMillis(
        (long)
            metrics.entrySet().stream()
                .filter(metric -> metric.getKey().name().equals(name))
                .mapToDouble(metric -> (double) metric.getValue().metricValue())
                // without a value while the client is idle
                .filter(Double::isFinite)
                .max()
                .orElse(0));
  }

  /** Returns how long a record can wait although Kafka is available; zero if not noticeably. */
  Duration ofPublishing() {
    Duration time = produce.get();
    return isReported(time) ? time : Duration.ZERO;
  }

  /** Describes in one sentence what is throttled; empty if nothing is, noticeably. */
  public Optional<String> describe() {
    Duration published = produce.get();
    Duration consumed = fetch.get();
    return isReported(published) || isReported(consumed)
        ? Optional.of(
            "Kafka throttles this proxy (quota): publishing waits up to %d ms, consuming up to %d ms"
                .formatted(published.toMillis(), consumed.toMillis()))
        : Optional.empty();
  }

  private static boolean isReported(Duration time) {
    return time.compareTo(REPORTED) >= 0;
  }
}
