// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Prometheus scrapes a real proxy with calls and evaluates every query of the dashboard and
 * the alerts.
 */
@ExtendWith(KafkaExtension.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PrometheusIT {

  private static final String APP = "watched";

  /** Panels and annotations without data on a healthy proxy. */
  private static final Set<String> EMPTY_WHEN_HEALTHY =
      Set.of("Started", "Alerts", "Log warnings and errors");

  @TempDir private static Path folder;
  @AutoClose private static final Closer CLOSER = new Closer();
  private static SimulatedAsterisk asterisk;
  private static ProxyProcess proxy;
  private static PrometheusServer prometheus;

  @BeforeAll
  static void startProxyWithCalls(KafkaBroker kafka) throws IOException {
    int port = ManagementClient.freePort();
    prometheus =
        CLOSER.register(
            PrometheusServer.launch(Files.createDirectory(folder.resolve("prometheus")), port));
    asterisk = CLOSER.register(SimulatedAsterisk.start());
    ProxySettings settings =
        ProxySettings.of(asterisk, APP, kafka)
            .with(Setting.MANAGEMENT_PORT, Integer.toString(port));
    proxy = CLOSER.register(ProxyProcess.start(settings, folder.resolve("proxy.log")));
    asterisk.awaitConnected(APP);
    try (Controller controller = new Controller(settings, kafka)) {
      // a rate needs several samples
      Awaitility.await("Prometheus has scraped calls")
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(500))
          .until(
              () -> {
                runCall(controller);
                return prometheus
                    .query("rate(ari_proxy_outgoing_requests_errors_total[5s]) > 0")
                    .stream()
                    .anyMatch(series -> true);
              });
    }
  }

  private static void runCall(Controller controller) {
    SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "the-call"));
    controller.execute("the-call", "POST", "/channels/" + call.id() + "/answer");
    // this bridge does not exist
    controller.execute("the-call", "DELETE", "/bridges/missing");
  }

  @Test
  @Order(1)
  void dashboardAndAlertsUseExistingMetrics() {
    Set<String> referenced = new TreeSet<>();
    Stream.concat(PromQlQuery.dashboardQueries().stream(), PromQlQuery.alertQueries().stream())
        .map(PromQlQuery::metricNames)
        .forEach(referenced::addAll);
    assertThat(referenced)
        .hasSizeGreaterThan(30)
        .allSatisfy(metric -> assertThat(prometheus.query(metric)).as(metric).isNotEmpty());
  }

  @Test
  @Order(2)
  void everyPanelReturnsData() {
    assertThat(
            PromQlQuery.dashboardQueries().stream()
                .filter(query -> !EMPTY_WHEN_HEALTHY.contains(query.source())))
        .hasSizeGreaterThan(30)
        .allSatisfy(
            query ->
                assertThat(prometheus.query(query.expand("30s")))
                    .as(query.toString())
                    .isNotEmpty());
  }

  @Test
  @Order(2)
  void errorPanelsHaveValidQueries() {
    assertThat(
            PromQlQuery.dashboardQueries().stream()
                .filter(query -> EMPTY_WHEN_HEALTHY.contains(query.source())))
        .hasSize(3)
        .allSatisfy(query -> prometheus.query(query.expand("30s")));
  }

  @Test
  @Order(3)
  void alertsEvaluateAndNoneFires() {
    List<JsonNode> rules = prometheus.rules();
    assertThat(rules).hasSameSizeAs(PromQlQuery.alertQueries());
    assertThat(rules)
        .allSatisfy(
            rule -> {
              assertThat(rule.path("health").asText()).as(rule.toString()).isEqualTo("ok");
              assertThat(rule.path("state").asText()).as(rule.toString()).isNotEqualTo("firing");
            });
  }

  @Test
  @Order(4)
  void websocketAlertFiresDuringAsteriskOutage() {
    asterisk.disconnectNetwork();
    awaitAlert("AriProxyWebsocketClosed", rule -> rule.path("state").asText().equals("firing"));
    assertThat(
            prometheus.query(
                "backing_service_availability{backing_service=\"ari-websocket\"} == 0"))
        .hasSize(1);
    asterisk.reconnectNetwork();
    awaitAlert("AriProxyWebsocketClosed", rule -> rule.path("state").asText().equals("inactive"));
  }

  @Test
  @Order(5)
  void proxyDownAlertFiresAfterTermination() {
    proxy.terminate();
    awaitAlert("AriProxyDown", rule -> rule.path("state").asText().equals("firing"));
  }

  private static void awaitAlert(String name, Predicate<JsonNode> condition) {
    Awaitility.await(name)
        .until(
            () ->
                prometheus.rules().stream()
                    .filter(rule -> rule.path("name").asText().equals(name))
                    .anyMatch(condition));
  }
}
