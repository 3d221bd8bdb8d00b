// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** A counter whose total decreases or cannot be read does not fail the scrape. */
class InvalidCounterTest {

  @Test
  void reportsPreviousTotal() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    double[] total = {5};
    Supplier<Number> counter =
        () -> {
          if (total[0] == 0) {
            throw new IllegalStateException("not readable");
          }
          return total[0];
        };
    Meters.WEBSOCKET_RECONNECTS.functionCounter(registry, counter);
    Meters.EVENTS_LOST.counter(registry).increment();
    String expected = "ari_proxy_websocket_reconnects_total 5.0";

    assertThat(registry.scrape()).contains(expected);
    for (double invalid : new double[] {-3588, 0, Double.NaN}) {
      total[0] = invalid;
      assertThat(registry.scrape()).contains(expected, "ari_proxy_events_lost_total 1.0");
    }
    total[0] = 6;
    assertThat(registry.scrape()).contains("ari_proxy_websocket_reconnects_total 6.0");
  }
}
