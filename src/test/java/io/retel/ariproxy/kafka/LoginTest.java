package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.junit.jupiter.api.Test;

/** When a login is refused anew, and when it is taken again. */
class LoginTest {

  private final Map<MetricName, Metric> metrics = new HashMap<>();
  private final Login login = new Login(() -> metrics);

  @Test
  void isTakenAgainWhenABrokerHasAcceptedItAndAnswered() {
    count(1, 10);
    assertThat(login.refused()).isTrue();
    assertThat(login.takenAgain()).isFalse();
    count(2, 11);
    assertThat(login.takenAgain()).isTrue();
    assertThat(login.isRefused()).isFalse();
    assertThat(login.takenAgain()).as("told already").isFalse();
  }

  @Test
  void isNotTakenAgainByABrokerThatAcceptsItAndThenThinksBetter() {
    count(1, 10);
    login.refused();
    count(2, 10);
    assertThat(login.takenAgain()).isFalse();
    assertThat(login.refused()).as("still the same refusal").isFalse();
    assertThat(login.isRefused()).isTrue();
  }

  @Test
  void isNotTakenAgainByAnswersOfConnectionsThatHadBeenThereBefore() {
    count(1, 10);
    login.refused();
    count(1, 20);
    assertThat(login.takenAgain()).isFalse();
  }

  @Test
  void canBeRefusedAnew() {
    count(1, 10);
    login.refused();
    count(2, 11);
    login.takenAgain();
    assertThat(login.refused()).isTrue();
  }

  private void count(double accepted, double answers) {
    set("successful-authentication-total", accepted);
    set("response-total", answers);
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
