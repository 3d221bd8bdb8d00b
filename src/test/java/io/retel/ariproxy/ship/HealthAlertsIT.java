// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every health check of a running proxy that can be DOWN has a metric, and an alert fires on it.
 */
@ExtendWith(KafkaExtension.class)
class HealthAlertsIT {

  private static final String SERIES = "ari_proxy_health{check=\"%s\"}";
  private static final Pattern NEVER_DOWN = Pattern.compile("(?m)^\\| `([-a-z]+)` \\| never: ");

  @Test
  void alertFiresForEachHealthCheckThatIsDown(KafkaBroker kafka, @TempDir Path folder)
      throws IOException {
    Set<String> checks = checksThatCanBeDown(kafka);

    Path rules = folder.resolve("alerts.yml");
    Files.copy(PromQlQuery.ALERTS, rules);
    Path tests = Files.writeString(folder.resolve("test.yml"), promtoolTest(checks));
    Tool.Result result = Tool.PROMTOOL.run("test", "rules", tests.toString());
    assertThat(result.exitCode()).as(result.output()).isZero();
  }

  /** Returns the checks, each of which has a metric. */
  private static Set<String> checksThatCanBeDown(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        EmbeddedProxy proxy =
            EmbeddedProxy.start(
                ProxySettings.of(asterisk, "healthy", kafka)
                    .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort())));
        ManagementClient management = new ManagementClient(proxy)) {
      Set<String> checks = new TreeSet<>();
      management
          .await("/observe/health", 200)
          .json()
          .path("checks")
          .findValuesAsText("name")
          .forEach(name -> checks.add(name.replaceFirst("^websocket:.*", "websocket")));
      NEVER_DOWN
          .matcher(MarkdownPage.read("docs/monitoring.md").text())
          .results()
          .forEach(check -> assertThat(checks.remove(check.group(1))).as(check.group(1)).isTrue());
      assertThat(checks).contains("context", "startup", "websocket", "kafka", "commands");
      assertThat(checks)
          .allSatisfy(
              check ->
                  assertThat(management.metric(SERIES.formatted(check))).as(check).isEqualTo(1));
      return checks;
    }
  }

  private static String promtoolTest(Set<String> checks) {
    return "rule_files: [alerts.yml]\nevaluation_interval: 15s\ntests:\n"
        + checks.stream()
            .map(
                check ->
                    """
                      - name: %1$s
                        interval: 15s
                        input_series:
                          - {series: 'ari_proxy_health{instance="a1",check="%1$s"}', values: '1x4 0x20'}
                        promql_expr_test:
                          - expr: count by (instance, check) (ALERTS{alertstate="firing"})
                            eval_time: 5m
                            exp_samples:
                              - {labels: '{instance="a1",check="%1$s"}', value: 1}
                    """
                        .formatted(check))
            .collect(Collectors.joining());
  }
}
