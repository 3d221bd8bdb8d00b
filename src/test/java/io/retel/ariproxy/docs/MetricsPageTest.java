// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The table in {@code docs/metrics.md} is generated from {@link Meters}. {@code -Dgolden.update}
 * rewrites it.
 */
class MetricsPageTest {

  private static final Path PAGE = Path.of("docs", "metrics.md");
  private static final String BEGIN = "<!-- begin generated -->\n";
  private static final String END = "<!-- end generated -->\n";

  @Test
  void tableMatchesMeters() throws IOException {
    String page = Files.readString(PAGE);
    String expected =
        page.substring(0, page.indexOf(BEGIN) + BEGIN.length())
            + table()
            + page.substring(page.indexOf(END));
    if (System.getProperty("golden.update") != null) {
      Files.writeString(PAGE, expected);
    }
    assertThat(Files.readString(PAGE)).isEqualTo(expected);
  }

  private static String table() {
    return "| metric | in Prometheus | kind | tags | description |\n|---|---|---|---|---|\n"
        + Arrays.stream(Meters.values()).map(MetricsPageTest::row).collect(Collectors.joining());
  }

  private static String row(Meters meter) {
    return "| `%s` | `%s` | %s | %s | %s |%n"
        .formatted(
            meter.meterName(),
            prometheusName(meter),
            meter.kind().name().toLowerCase(Locale.ROOT),
            meter.tags().stream().map(tag -> "`" + tag + "`").collect(Collectors.joining(", ")),
            meter.description())
        .replace("|  |", "| |");
  }

  /** The name in a scrape; for a timer, without the suffix of the series. */
  private static String prometheusName(Meters meter) {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    String[] tagValues = meter.tags().toArray(String[]::new);
    switch (meter.kind()) {
      case COUNTER -> meter.counter(registry, tagValues);
      case GAUGE -> meter.gauge(registry, () -> 0, tagValues);
      case TIMER -> meter.timer(registry, tagValues);
    }
    return registry
        .scrape()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .map(line -> line.split("[{ ]")[0].replaceFirst("_(bucket|count|sum|max)$", ""))
        .findFirst()
        .orElseThrow();
  }
}
