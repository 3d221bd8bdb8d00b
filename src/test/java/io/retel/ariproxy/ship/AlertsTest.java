package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Alert rules: annotations, runbooks, metric names and promtool's tests. */
class AlertsTest {

  private static final Path TESTS = PromQlQuery.ALERTS.resolveSibling("alerts.test.yml");
  private static final Pattern PROXY_SERIES =
      Pattern.compile("series: '((?:ari_proxy|backing_service)_\\w+)");

  static Stream<JsonNode> alerts() {
    return PromQlQuery.alertRules().valueStream();
  }

  @Test
  void promtoolTestsPass() {
    Tool.Result result = Tool.PROMTOOL.run("test", "rules", TESTS.toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void prometheusAcceptsConfiguration() {
    Tool.Result result =
        Tool.PROMTOOL.run(
            "check", "config", PromQlQuery.ALERTS.resolveSibling("prometheus.yml").toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  @Test
  void prometheusAcceptsReadmeConfiguration(@TempDir Path folder) throws IOException {
    String readme = Files.readString(Path.of("README.md"));
    int begin = readme.indexOf("rule_files:");
    Path configuration =
        Files.writeString(
            folder.resolve("prometheus.yml"),
            readme.substring(begin, readme.indexOf("```", begin)));
    Files.copy(PromQlQuery.ALERTS, folder.resolve("alerts.yml"));

    Tool.Result result = Tool.PROMTOOL.run("check", "config", configuration.toString());

    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output()).contains("1 rule files found");
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

  /** A runbook reads {@code README.md, section: row}. */
  @ParameterizedTest
  @MethodSource("alerts")
  void everyRunbookLinksToReadmeRow(JsonNode alert) throws IOException {
    String[] runbook =
        alert.at("/annotations/runbook").asText().replace("README.md, ", "").split(": ", 2);
    String section = Files.readString(Path.of("README.md"));
    assertThat(section).containsAnyOf("## " + runbook[0] + "\n", "**" + runbook[0] + ":**");
    section =
        section.substring(
            section.indexOf(runbook[0] + (section.contains("## " + runbook[0]) ? "\n" : ":**")));
    assertThat(section)
        .containsAnyOf("| " + runbook[1], "| `" + runbook[1] + "`", "**" + runbook[1] + "**");
  }

  @ParameterizedTest
  @MethodSource("alerts")
  void everyAlertHasTest(JsonNode alert) throws IOException {
    assertThat(Files.readString(TESTS)).contains(alert.path("alert").asText());
  }
}
