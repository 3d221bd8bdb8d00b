// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a broker that fences the only proxy. */
class FencedAloneIT {

  private static final String OFFSETS = "__consumer_offsets-";

  @Test
  @FullRun("three starts of Kafka and two of the proxy")
  void consumesAgainAfterTheBrokerHasLostTheEndOfItsLog(@TempDir Path folder) throws Exception {
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    Path data = folder.resolve("kafka");
    Path copy = Files.createDirectory(folder.resolve("copy"));
    try (KafkaBroker kafka = KafkaBroker.withDataDirectory(data);
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, "alone", kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .withCamelProperty("camel.component.kafka.sessionTimeoutMs", "6000")
              .withCamelProperty("camel.component.kafka.heartbeatIntervalMs", "1000");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        kafka.stop();
        copyOffsets(data, copy);
        kafka.start();
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        // the proxy becomes another member
        proxy.kill();
        proxy.start();
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

        kafka.stop();
        copyOffsets(copy, data);
        kafka.start();

        Awaitility.await("fenced").until(() -> Files.readString(log).contains("Fenced, no longer"));
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        management.await("/observe/health", 200);
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("No other proxy is in the group"))
            .hasSize(1);
      }
    }
  }

  /** Copies the committed offsets and the members of all groups. */
  private static void copyOffsets(Path from, Path to) {
    ChildProcess.run(
        List.of(
            "sh", "-c", "rm -rf %2$s/%3$s*; cp -a %1$s/%3$s* %2$s".formatted(from, to, OFFSETS)));
  }
}
