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
final class Login {

  private final Supplier<Map<MetricName, ? extends Metric>> metrics;
  private boolean refused;
  private double accepted;
  private double answers;

  /**
   * @param metrics those of the consumer
   */
  Login(Supplier<Map<MetricName, ? extends Metric>> metrics) {
    this.metrics = metrics;
  }

  /** Whether it was refused, and has not been taken since. */
  boolean isRefused() {
    return refused;
  }

  /** It is refused. Returns whether that is new. */
  boolean refused() {
    boolean before = refused;
    refused = true;
    accepted = accepted();
    answers = answers();
    return !before;
  }

  /** A poll goes well. Returns whether the login has been taken since it was refused. */
  boolean takenAgain() {
    // with TLS 1.3 a client's certificate seems to be accepted until the broker says otherwise
    boolean taken = refused && accepted() > accepted && answers() > answers;
    refused &= !taken;
    return taken;
  }

  private double accepted() {
    return total("successful-authentication-total");
  }

  private double answers() {
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
