// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ManagementClient.Response;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.metrics.Meters;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests the HTTP interface for operators and their tools, with a real Kafka. */
@ExtendWith(KafkaExtension.class)
class ManagementPortIT {

  private static final String APP = "watched";

  @Test
  void listsOneHealthCheckPerComponent(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        EmbeddedProxy proxy = EmbeddedProxy.start(settingsWithManagementPort(asterisk, kafka));
        ManagementClient management = new ManagementClient(proxy)) {
      for (String path : List.of("/observe/health", "/observe/health/ready")) {
        Response health = management.await(path, 200);

        assertThat(health.json().path("status").asText()).as(path).isEqualTo("UP");
        assertThat(names(health))
            .as(path)
            .contains(
                "context",
                "startup",
                "ari-rest",
                "kafka",
                "call-context-store",
                "resync",
                "websocket-buffer",
                "applications",
                "kafka-quota",
                "settings-file",
                "route-files",
                "route-steps",
                "mappings",
                "websocket:ws://localhost:" + asterisk.port() + "/ari/events");
      }
    }
  }

  @Test
  void readinessFollowsWebsocketLivenessDoesNot(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        EmbeddedProxy proxy = EmbeddedProxy.start(settingsWithManagementPort(asterisk, kafka));
        ManagementClient management = new ManagementClient(proxy)) {
      management.await("/observe/health/ready", 200);
      assertThat(management.get("/observe/jolokia").status())
          .as("disabled by default")
          .isEqualTo(404);
      assertThat(management.get("/health").json().toString())
          .isEqualTo("{\"ok\":true,\"errors\":[]}");
      assertThat(management.get("/health/backing-services").status()).isEqualTo(200);

      asterisk.stop();

      Response notReady = management.await("/observe/health/ready", 503);
      assertThat(notReady.json().path("checks").findValuesAsText("message"))
          .as("reason why the websocket is down")
          .anyMatch(
              message ->
                  message.contains("Asterisk shuts down") || message.contains("is not reachable"));
      assertThat(management.get("/observe/health/live").status()).isEqualTo(200);
      assertThat(management.get("/health/smoke").json().toString())
          .isEqualTo("{\"ok\":true,\"errors\":[]}");
      for (String path : List.of("/health", "/health/backing-services")) {
        Response report = management.get(path);
        assertThat(report.status()).isEqualTo(503);
        assertThat(report.json().path("ok").asBoolean(true)).isFalse();
        assertThat(report.json().path("errors").get(0).asText()).startsWith("websocket:ws://");
      }
      // the REST probe detects it independently
      Awaitility.await("ARI is reported as unavailable")
          .until(() -> management.get("/health").body().contains("ari-rest: ARI at http"));
      assertThat(management.metric("ari_proxy_websocket_connected")).isZero();
      assertThat(management.metric("backing_service_availability{backing_service=\"ari-rest\"}"))
          .isZero();

      asterisk.restart();

      management.await("/observe/health/ready", 200);
      assertThat(management.metric("ari_proxy_websocket_connected")).isOne();
      assertThat(management.metric("ari_proxy_websocket_reconnects_total")).isOne();
      assertThat(management.metric("ari_proxy_websocket_downtime_seconds_total")).isPositive();
    }
  }

  @Test
  @FullRun("waits for timeouts of the broker's check")
  void detectsKafkaOutageWithoutTraffic() throws Exception {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        EmbeddedProxy proxy = EmbeddedProxy.start(settingsWithManagementPort(asterisk, kafka));
        ManagementClient management = new ManagementClient(proxy)) {
      management.await("/observe/health/ready", 200);

      kafka.stop();

      Response unavailable = management.await("/health/backing-services", 503);
      assertThat(unavailable.body())
          // the second one while the broker is stopping
          .containsAnyOf(
              "kafka: Kafka at " + kafka.bootstrapServers() + ": cannot describe topics ",
              "kafka: Kafka has no leader for partitions ");
      assertThat(management.metric("backing_service_availability{backing_service=\"kafka\"}"))
          .isZero();
      assertThat(management.metric("ari_proxy_health{check=\"kafka\"}")).isZero();

      kafka.start();

      management.await("/health/backing-services", 200);
    }
  }

  @Test
  void namesSettingsToCheckAfterRejectedAriLogin(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        EmbeddedProxy proxy =
            EmbeddedProxy.start(
                settingsWithManagementPort(asterisk, kafka)
                    .with(Setting.ARI_PASSWORD, "not-the-password"));
        ManagementClient management = new ManagementClient(proxy)) {
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(management.get("/health").body())
                      .contains("failed a ping: it rejects the login with 401; check ari.username")
                      .doesNotContain("not-the-password"));
    }
  }

  @Test
  void exposesAllMetersToPrometheusAndJmx(KafkaBroker kafka) throws Exception {
    ProxySettings settings;
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      settings =
          settingsWithManagementPort(asterisk, kafka)
              .with(Setting.METRICS_TAGS, "site=fra,asterisk=a1");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          ManagementClient management = new ManagementClient(proxy);
          Controller controller = new Controller(settings, kafka)) {
        runCallWithAllResponseKinds(asterisk, proxy, controller);

        assertThat(exposedMetricNames(management)).containsAll(names());
        String tagged =
            "ari_proxy_events_total{asterisk=\"a1\",eventType=\"STASIS_START\",resourceType=\"CHANNEL\",site=\"fra\"}";
        assertThat(management.metric(tagged)).isOne();
        assertThat(management.metric("ari_proxy_events_latency_seconds_count{")).isPositive();
        assertThat(management.get("/observe/metrics").body())
            .contains("jvm_memory_used_bytes{")
            .contains("process_uptime_seconds{")
            .contains("logback_events_total{")
            .contains("# HELP ari_proxy_events_lost_total " + Meters.EVENTS_LOST.description());
        assertThat(
                ManagementFactory.getPlatformMBeanServer()
                    .queryNames(
                        new ObjectName("metrics:name=ari-proxyEvents.*STASIS_START*,*"), null))
            .isNotEmpty();
      }
    }
  }

  @Test
  void measuresRequestsByOperationAndErrorType(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settingsWithManagementPort(asterisk, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          ManagementClient management = new ManagementClient(proxy);
          Controller controller = new Controller(settings, kafka)) {
        runCallWithAllResponseKinds(asterisk, proxy, controller);

        String play = "method=\"POST\",path=\"/channels/{channelId}/play\"";
        assertThat(management.metric("ari_proxy_outgoing_requests_total{" + play + "}")).isOne();
        assertThat(
                management.metric(
                    "ari_proxy_outgoing_requests_duration_seconds_count{" + play + "}"))
            .isOne();
        String get = "method=\"GET\",path=\"/channels/{channelId}\"}";
        assertThat(
                management.metric("ari_proxy_outgoing_requests_errors_total{error=\"4xx\"," + get))
            .isOne();
        assertThat(
                management.metric("ari_proxy_outgoing_requests_errors_total{error=\"5xx\"," + get))
            .isOne();
        assertThat(
                management.metric(
                    "ari_proxy_outgoing_requests_errors_total{error=\"no_answer\"," + get))
            .isOne();
        for (String outcome :
            List.of(
                "outcome=\"answered\",status=\"201\"",
                "outcome=\"answered\",status=\"404\"",
                "outcome=\"answered\",status=\"500\"",
                "outcome=\"unknown\",status=\"504\"",
                "outcome=\"rejected\",status=\"400\"")) {
          Awaitility.await(outcome)
              .until(() -> management.metric("ari_proxy_responses_total{" + outcome + "}") == 1);
        }
        assertThat(management.get("/observe/metrics").body()).doesNotContain("sound:hello");
      }
    }
  }

  @Test
  void metersAndAddressSurviveRouteReload(KafkaBroker kafka, @TempDir Path folder)
      throws Exception {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings =
          settingsWithManagementPort(asterisk, kafka)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString());
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          ManagementClient management = new ManagementClient(proxy);
          Controller controller = new Controller(settings, kafka)) {
        proxy.awaitResync();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START");

        routes.edit(
            "events.camel.yaml",
            yaml -> yaml.replace("description: Publishes", "description: Sends"));
        Awaitility.await("the edit is loaded")
            .until(
                () ->
                    management.metric(
                            "ari_proxy_processor_restarts_total{processorType=\"events\"}")
                        == 1);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "after"));
        controller.event("after", "STASIS_START");

        Awaitility.await("both events are counted")
            .until(
                () ->
                    management.metric(
                            "ari_proxy_events_total{eventType=\"STASIS_START\",resourceType=\"CHANNEL\"}")
                        == 2);

        routes.edit("commands.camel.yaml", yaml -> yaml + "# edited\n");
        Awaitility.await("the second edit is loaded")
            .until(
                () ->
                    log.lines(Level.INFO).stream()
                        .anyMatch(line -> line.endsWith("commands.camel.yaml loaded")));
        assertThat(log.lines(Level.INFO))
            .filteredOn(
                line -> line.startsWith("Health and metrics available at http://127.0.0.1:"))
            .hasSize(1);
      }
    }
  }

  @Test
  void firstResponseDuringStartReportsChecks(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      int port = ManagementClient.freePort();
      ManagementClient management = new ManagementClient(port);
      CompletableFuture<Response> firstResponse =
          CompletableFuture.supplyAsync(
              () ->
                  Awaitility.await("the management port responds")
                      .pollInterval(Duration.ofMillis(2))
                      .ignoreExceptions()
                      .until(() -> management.get("/health"), response -> true));
      try (EmbeddedProxy proxy =
          EmbeddedProxy.start(
              settingsWithManagementPort(asterisk, kafka)
                  .with(Setting.MANAGEMENT_PORT, Integer.toString(port)))) {
        assertThat(firstResponse.get().status()).as(firstResponse.get().body()).isEqualTo(503);
        assertThat(firstResponse.get().json().path("ok").asBoolean(true)).isFalse();
        assertThat(firstResponse.get().json().path("errors")).isNotEmpty();
      }
    }
  }

  @Test
  void listsPathsAndListensOnLoopbackOnly(KafkaBroker kafka) throws Exception {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog();
        EmbeddedProxy proxy = EmbeddedProxy.start(settingsWithManagementPort(asterisk, kafka));
        ManagementClient management = new ManagementClient(proxy)) {
      String index = management.get("/").body();
      List<String> paths = index.lines().filter(line -> line.startsWith("/")).toList();
      assertThat(paths).hasSize(7);
      for (String line : paths) {
        assertThat(management.get(line.split(" ")[0]).status()).as(line).isNotEqualTo(404);
      }
      assertThat(management.get("/q/dev").status()).isEqualTo(404);
      assertThat(management.isLoopbackOnly()).isTrue();
    }
  }

  /**
   * Sends five commands: Asterisk executes, rejects, fails and drops one each, and the proxy
   * rejects one.
   */
  private static void runCallWithAllResponseKinds(
      SimulatedAsterisk asterisk, EmbeddedProxy proxy, Controller controller) {
    proxy.awaitResync();
    SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
    controller.event("call", "STASIS_START");
    String channel = "/channels/" + call.id();
    controller.execute("call", "POST", channel + "/play?media=sound:hello");
    controller.execute("call", "GET", "/channels/nobody");
    asterisk.faults().respondWith(request -> request.path().endsWith("/failing"), 500, "broken");
    controller.execute("call", "GET", "/channels/failing");
    asterisk.faults().dropBeforeExecution(request -> request.path().endsWith("/cut"));
    controller.execute("call", "GET", "/channels/cut");
    controller.execute("call", "GET", "http://elsewhere");
  }

  private static ProxySettings settingsWithManagementPort(
      SimulatedAsterisk asterisk, KafkaBroker kafka) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
  }

  private static List<String> names(Response health) {
    return health.json().path("checks").findValuesAsText("name");
  }

  /** Returns the Prometheus names of all meters. */
  private static List<String> names() {
    return Stream.of(Meters.values())
        .map(
            meter -> {
              String name =
                  meter.meterName().replace('.', '_').replace('-', '_').toLowerCase(Locale.ROOT);
              String unit = meter.baseUnit() == null ? "" : "_" + meter.baseUnit();
              String nameWithUnit = name.endsWith(unit) ? name : name + unit;
              return switch (meter.kind()) {
                case COUNTER -> nameWithUnit + "_total";
                case GAUGE -> nameWithUnit;
                case TIMER -> name + "_seconds_bucket";
              };
            })
        .toList();
  }

  private static TreeSet<String> exposedMetricNames(ManagementClient management) throws Exception {
    TreeSet<String> names = new TreeSet<>();
    management
        .get("/observe/metrics")
        .body()
        .lines()
        .filter(line -> !line.startsWith("#"))
        .forEach(line -> names.add(line.split("[{ ]")[0]));
    return names;
  }
}
