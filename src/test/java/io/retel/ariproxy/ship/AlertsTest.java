// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Alert rules: annotations, runbooks, metric names and tests. */
class AlertsTest {

  static final Path TESTS = PromQlQuery.ALERTS.resolveSibling("alerts.test.yml");
  private static final Pattern PROXY_SERIES =
      Pattern.compile("series: '((?:ari_proxy|backing_service)_\\w+)");

  static Stream<JsonNode> alerts() {
    return PromQlQuery.alertRules().valueStream();
  }

  @Test
  void alertsAndTheirTestsUseExposedMetrics() throws IOException {
    assertThat(PromQlQuery.proxyMetricNames(PromQlQuery.alertQueries()))
        .isNotEmpty()
        .isSubsetOf(ExposedMetrics.names());
    assertThat(PROXY_SERIES.matcher(Files.readString(TESTS)).results())
        .extracting(series -> series.group(1))
        .isNotEmpty()
        .isSubsetOf(ExposedMetrics.names());
  }

  @ParameterizedTest
  @MethodSource("alerts")
  void everyAlertHasAllAnnotations(JsonNode alert) {
    assertThat(alert.at("/labels/severity").asText()).isIn("critical", "warning");
    assertThat(alert.path("annotations").fieldNames())
        .toIterable()
        .containsExactlyInAnyOrder("summary", "calls", "action", "runbook");
    assertThat(alert.at("/annotations/summary").asText()).contains("{{ $labels.instance }}");
  }

  /** A runbook is {@code page#anchor}. */
  @ParameterizedTest
  @MethodSource("alerts")
  void everyRunbookExists(JsonNode alert) {
    String[] runbook = alert.at("/annotations/runbook").asText().split("#", 2);
    assertThat(MarkdownPage.read(runbook[0]).anchors()).contains(runbook[1]);
  }

  @ParameterizedTest
  @MethodSource("alerts")
  void monitoringPageListsEveryAlert(JsonNode alert) {
    assertThat(MarkdownPage.read("docs/monitoring.md").text().lines())
        .filteredOn(
            row ->
                row.startsWith(
                    "| `%s` | %s |"
                        .formatted(
                            alert.path("alert").asText(), alert.at("/labels/severity").asText())))
        .singleElement(STRING)
        .contains("(" + alert.at("/annotations/runbook").asText().replaceFirst("^docs/", "") + ")");
  }

  @ParameterizedTest
  @MethodSource("alerts")
  void everyAlertHasTest(JsonNode alert) throws IOException {
    assertThat(Files.readString(TESTS)).contains(alert.path("alert").asText());
  }
}
