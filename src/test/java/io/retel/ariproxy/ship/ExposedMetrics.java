// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Names under which Prometheus scrapes the proxy's own meters, taken from a real registry. */
final class ExposedMetrics {

  private ExposedMetrics() {}

  static Set<String> names() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    for (Meters meter : Meters.values()) {
      String[] tagValues = meter.tags().toArray(String[]::new);
      switch (meter.kind()) {
        case COUNTER -> meter.counter(registry, tagValues);
        case GAUGE -> meter.gauge(registry, () -> 0, tagValues);
        case TIMER -> meter.timer(registry, tagValues);
      }
    }
    return registry
        .scrape()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split("[{ ]")[0])
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
