package io.retel.ariproxy.kafka;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/**
 * Whether Kafka takes a consumer's login. A refusal is an exception; that it is taken again is seen
 * in the consumer's metrics alone, on a topic where nothing happens. Not safe for use by many
 * threads.
 */
final class AuthenticationState {

  private final Supplier<Map<MetricName, ? extends Metric>> metrics;
  private boolean rejected;
  private double accepted;
  private double responses;

  /**
   * @param metrics those of the consumer
   */
  AuthenticationState(Supplier<Map<MetricName, ? extends Metric>> metrics) {
    this.metrics = metrics;
  }

  /** Whether it was refused, and has not been taken since. */
  boolean isRejected() {
    return rejected;
  }

  /** It is refused. Returns whether that is new. */
  boolean rejected() {
    boolean wasRejected = rejected;
    rejected = true;
    accepted = accepted();
    responses = responses();
    return !wasRejected;
  }

  /** A poll goes well. Returns whether the login has been taken since it was refused. */
  boolean recovered() {
    // with TLS 1.3 a client's certificate seems to be accepted until the broker says otherwise
    boolean recovered = rejected && accepted() > accepted && responses() > responses;
    rejected &= !recovered;
    return recovered;
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
