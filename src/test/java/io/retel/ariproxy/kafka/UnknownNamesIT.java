// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Relay;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests a proxy while the names of Kafka and Asterisk cannot be resolved, and after their addresses
 * changed.
 */
@ExtendWith(KafkaExtension.class)
class UnknownNamesIT {

  private static final String APP = "names";
  private static final String UNKNOWN_ASTERISK = "name cannot be resolved: asterisk.example";

  @TempDir private Path folder;

  @Test
  @FullRun("waits for retries at the start, and for names to expire")
  void waitsForNamesAtTheStartAndAtAReconnect(KafkaBroker kafka) throws IOException {
    resolve("other.example");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      int port = ManagementClient.freePort();
      ProxySettings settings = settings(asterisk, kafka, port);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log());
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        awaitHealth(management, "no name in kafka.brokers can be resolved");
        assertThat(proxy.isAlive()).isTrue();

        resolve("kafka.example");
        awaitHealth(management, "is not reachable: its name cannot be resolved");
        awaitHealth(management, UNKNOWN_ASTERISK);
        assertNotSent(controller.execute("call", "GET", "/asterisk/ping"));

        resolve("kafka.example", "asterisk.example");
        asterisk.awaitConnected(APP);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START");

        resolve("kafka.example");
        Awaitility.await("the address expires")
            .until(
                () -> {
                  asterisk.dropConnections();
                  return controller.execute("call", "GET", "/asterisk/ping").status() == 503;
                });
        assertNotSent(controller.execute("call", "GET", "/asterisk/ping"));
        awaitHealth(management, "is not reachable: its name cannot be resolved");

        resolve("kafka.example", "asterisk.example");
        asterisk.awaitConnected(APP);
        controller.event("call", "ARI_CONNECTION_RESTORED");
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(management.metric("ari_proxy_events_lost_total")).isZero();
      }
    }
    assertThat(lines(line -> line.contains("Not consuming yet"))).hasSize(1);
    // one for each of both outages
    assertThat(lines(line -> line.contains("is not reachable: its name cannot be resolved")))
        .hasSize(2);
  }

  @Test
  @FullRun("waits for the stall monitor")
  void editedRouteWaitsForNameOfKafka(KafkaBroker kafka) throws IOException {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    resolve("kafka.example", "asterisk.example");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      int port = ManagementClient.freePort();
      ProxySettings settings =
          settings(asterisk, kafka, port)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
              // names change immediately
              .withCamelProperty("sun.net.inetaddr.ttl", "0")
              .withCamelProperty("sun.net.inetaddr.negative.ttl", "0");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log());
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);

        // the edit replaces the producers
        resolve("asterisk.example");
        routes.edit("publish.camel.yaml", yaml -> yaml.replace("lingerMs: 5", "lingerMs: 6"));
        Awaitility.await("edit in effect")
            .until(() -> !lines(line -> line.contains("publish.camel.yaml loaded")).isEmpty());
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        Awaitility.await("the event waits")
            .until(() -> management.metric("ari_proxy_kafka_in_flight_bytes") > 0);
        Awaitility.await("the outage is reported")
            .until(
                () ->
                    !lines(line -> line.contains("Kafka has acknowledged nothing for")).isEmpty());
        assertThat(proxy.isAlive()).isTrue();

        resolve("kafka.example", "asterisk.example");
        controller.event("call", "STASIS_START");
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(management.metric("ari_proxy_events_lost_total")).isZero();
      }
    }
  }

  @Test
  @FullRun("waits for requests that are not answered")
  @Tag(FullRun.ON_DEMAND)
  void followsNamesToOtherAddresses() throws IOException {
    try (KafkaBroker kafka = KafkaBroker.advertisedAs("kafka.example");
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        Relay kafkaRelay = Relay.start(kafka.advertisedPort());
        Relay asteriskRelay = Relay.start(asterisk.port())) {
      resolve(Map.of(Relay.ADDRESS, List.of("kafka.example", "asterisk.example")));
      int port = ManagementClient.freePort();
      ProxySettings settings =
          settings(asterisk, kafka, port)
              .with(Setting.KAFKA_BROKERS, "kafka.example:" + kafka.advertisedPort());
      try (ProxyProcess proxy = ProxyProcess.start(settings, log());
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

        kafkaRelay.silence();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "kafka"));
        resolve(
            Map.of(
                "127.0.0.1", List.of("kafka.example"), Relay.ADDRESS, List.of("asterisk.example")));
        controller.event("kafka", "STASIS_START");
        controller.execute("kafka", "GET", "/asterisk/ping").assertStatus(200);

        asteriskRelay.silence();
        resolve("kafka.example", "asterisk.example");
        Awaitility.await("connected to the new address")
            .until(() -> asterisk.totalWebsocketCount() == 2);
        controller.execute("asterisk", "GET", "/asterisk/ping").assertStatus(200);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "asterisk"));
        controller.event("asterisk", "STASIS_START");
        assertThat(management.metric("ari_proxy_events_lost_total")).isZero();
        assertThat(proxy.isAlive()).isTrue();
      }
    }
  }

  private ProxySettings settings(SimulatedAsterisk asterisk, KafkaBroker kafka, int port) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
        .with(Setting.KAFKA_BROKERS, kafka.bootstrapServers().replaceFirst(".*:", "kafka.example:"))
        .with(Setting.ARI_URL, "http://asterisk.example:" + asterisk.port() + "/ari")
        .withCamelProperty("jdk.net.hosts.file", folder.resolve("hosts").toString());
  }

  private static void assertNotSent(Response response) {
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains(UNKNOWN_ASTERISK);
  }

  private static void awaitHealth(ManagementClient management, String error) {
    Awaitility.await(error)
        .ignoreExceptions()
        .until(() -> management.get("/health").body().contains(error));
  }

  private Path log() {
    return folder.resolve("proxy.log");
  }

  private List<String> lines(Predicate<String> condition) throws IOException {
    return Files.readAllLines(log()).stream().filter(condition).toList();
  }

  private void resolve(String... names) throws IOException {
    resolve(Map.of("127.0.0.1", List.of(names)));
  }

  /** Sets the names of each address. */
  private void resolve(Map<String, List<String>> names) throws IOException {
    Files.write(
        folder.resolve("hosts"),
        names.entrySet().stream()
            .map(address -> address.getKey() + " " + String.join(" ", address.getValue()))
            .toList());
  }
}
