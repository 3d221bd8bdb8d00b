// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.time;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Tool;
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
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy whose system clock is set back by an hour during a gap, as by NTP. */
@ExtendWith(KafkaExtension.class)
class SystemClockIT {

  private static final String APP = "clock";
  private static final DateTimeFormatter ASTERISK_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSZ");

  @Test
  @FullRun("a process with libfaketime is slow; MomentTest tests the arithmetic")
  void gapIsPositiveAfterTheClockWasSetBack(KafkaBroker kafka, @TempDir Path folder)
      throws IOException {
    Path library = Tool.fakeClockLibrary();
    Path offset = folder.resolve("clock-offset");
    setClock(offset, "+3600");
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .withVariable("LD_PRELOAD", library.toString())
              .withVariable("FAKETIME_TIMESTAMP_FILE", offset.toString())
              .withVariable("FAKETIME_NO_CACHE", "1")
              .withVariable("FAKETIME_DONT_FAKE_MONOTONIC", "1");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        Awaitility.await("the proxy is ready")
            .ignoreExceptions()
            .until(() -> management.get("/observe/health/ready").status() == 200);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START");
        asterisk.disconnectNetwork();
        Awaitility.await("the websocket is lost")
            .until(() -> management.metric("ari_proxy_websocket_connected") == 0);
        setClock(offset, "+0");
        asterisk.reconnectNetwork();

        JsonNode restored = controller.event("call", "ARI_CONNECTION_RESTORED").payload();

        assertThat(time(restored.path("gap_end")))
            .as("the proxy has seen the step")
            .isBefore(OffsetDateTime.now(ZoneOffset.UTC).plusMinutes(30));
        assertThat(time(restored.path("gap_start"))).isBefore(time(restored.path("gap_end")));
        assertThat(
                Duration.between(time(restored.path("gap_start")), time(restored.path("gap_end"))))
            .as("the proxy ran for less than the step of the clock")
            .isLessThan(Duration.ofMinutes(59));
        assertThat(management.metric("ari_proxy_websocket_downtime_seconds_total")).isPositive();
        assertThat(management.metric("ari_proxy_websocket_connected")).isOne();
        assertThat(Files.readString(log)).contains("Resync after a gap of ").doesNotContain(" -");
        assertThat(proxy.isAlive()).isTrue();
      }
    }
  }

  private static OffsetDateTime time(JsonNode node) {
    return OffsetDateTime.parse(node.asText(), ASTERISK_TIME);
  }

  private static void setClock(Path file, String offset) throws IOException {
    Path temporary = Files.writeString(file.resolveSibling("next-offset"), offset + "\n");
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
