// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy while the names of Kafka and Asterisk cannot be resolved. */
@ExtendWith(KafkaExtension.class)
class UnknownNamesIT {

  private static final String APP = "names";

  @Test
  @FullRun("waits for retries at the start and for the stall monitor")
  void waitsForNamesAtTheStartAndBeforeTheFirstEvent(KafkaBroker kafka, @TempDir Path folder)
      throws IOException {
    Path hosts = Files.writeString(folder.resolve("hosts"), "127.0.0.1 other.example\n");
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .with(
                  Setting.KAFKA_BROKERS,
                  kafka.bootstrapServers().replaceFirst(".*:", "kafka.example:"))
              .with(Setting.ARI_URL, "http://asterisk.example:" + asterisk.port() + "/ari")
              .withCamelProperty("jdk.net.hosts.file", hosts.toString())
              .withCamelProperty("sun.net.inetaddr.ttl", "0")
              .withCamelProperty("sun.net.inetaddr.negative.ttl", "0");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        Awaitility.await("the start waits for Kafka's name")
            .until(
                () -> Files.readString(log).contains("no name in kafka.brokers can be resolved"));
        assertThat(proxy.isAlive()).isTrue();

        resolve(hosts, "kafka.example", "asterisk.example");
        Awaitility.await("ready")
            .ignoreExceptions()
            .until(() -> management.get("/observe/health/ready").status() == 200);

        // the producer of events is created with the first one
        resolve(hosts, "other.example");
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        Awaitility.await("the event waits")
            .until(() -> management.metric("ari_proxy_kafka_in_flight_bytes") > 0);
        Awaitility.await("the outage is reported")
            .until(() -> Files.readString(log).contains("Kafka has acknowledged nothing for"));
        assertThat(proxy.isAlive()).isTrue();
        resolve(hosts, "kafka.example", "asterisk.example");

        controller.event("call", "STASIS_START");
        controller.execute("call", "GET", "/asterisk/ping");
        assertThat(management.metric("ari_proxy_events_lost_total")).isZero();
      }
    }
  }

  private static void resolve(Path hosts, String... names) throws IOException {
    Files.writeString(hosts, "127.0.0.1 " + String.join(" ", names) + "\n");
  }
}
