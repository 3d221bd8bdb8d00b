// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dashboard: panels, layout and metric names. */
class DashboardTest {

  private static final int COLUMNS = 24;

  private static JsonNode dashboard;

  @BeforeAll
  static void read() throws IOException {
    dashboard = new ObjectMapper().readTree(PromQlQuery.DASHBOARD.toFile());
  }

  static Stream<JsonNode> panels() throws IOException {
    read();
    return dashboard
        .path("panels")
        .valueStream()
        .filter(panel -> !panel.path("type").asText().equals("row"));
  }

  @ParameterizedTest
  @MethodSource("panels")
  void everyPanelHasDescriptionUnitAndInstance(JsonNode panel) {
    assertThat(panel.path("title").asText()).isNotBlank();
    assertThat(panel.path("description").asText()).endsWith(".");
    assertThat(panel.at("/fieldConfig/defaults/unit").asText()).isNotBlank();
    assertThat(panel.path("targets")).isNotEmpty();
    for (JsonNode target : panel.path("targets")) {
      assertThat(target.path("expr").asText()).contains("instance=~\"$instance\"");
      assertThat(target.at("/datasource/uid").asText()).isEqualTo("${datasource}");
    }
  }

  @Test
  void everyQueryUsesExposedMetrics() {
    assertThat(PromQlQuery.proxyMetricNames(PromQlQuery.dashboardQueries()))
        .hasSizeGreaterThan(20)
        .isSubsetOf(ExposedMetrics.names());
  }

  @Test
  void firstRowShowsCallFlow() throws IOException {
    assertThat(panels().filter(panel -> panel.at("/gridPos/y").asInt() == 1))
        .extracting(panel -> panel.path("title").asText())
        .containsExactly(
            "Alerts firing",
            "Websocket",
            "Events",
            "Event latency (p99)",
            "Commands",
            "Failed commands",
            "Lost",
            "Calls");
  }

  @Test
  void panelsHaveDistinctPositionsAndIds() {
    List<String> cells = new ArrayList<>();
    List<Integer> ids = new ArrayList<>();
    for (JsonNode panel : dashboard.path("panels")) {
      ids.add(panel.path("id").asInt());
      JsonNode position = panel.path("gridPos");
      assertThat(position.path("x").asInt() + position.path("w").asInt())
          .isLessThanOrEqualTo(COLUMNS);
      for (int x = 0; x < position.path("w").asInt(); x++) {
        for (int y = 0; y < position.path("h").asInt(); y++) {
          cells.add((position.path("x").asInt() + x) + "/" + (position.path("y").asInt() + y));
        }
      }
    }
    assertThat(cells).doesNotHaveDuplicates();
    assertThat(ids).doesNotHaveDuplicates();
  }
}
