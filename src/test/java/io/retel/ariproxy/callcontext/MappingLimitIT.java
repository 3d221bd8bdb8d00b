// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server in place of Asterisk invents channels until the heap for mappings is full. */
class MappingLimitIT {

  private static final String APP = "mapping-limit";
  private static final String CALL = "call";
  private static final int EVENTS = 40;
  private static final int IDS_PER_EVENT = 10_000;

  @Test
  @FullRun("invents more than a million channels; MappingLimitTest tests the limit")
  void inventedChannelsFillNeitherHeapNorRestart(@TempDir Path folder) throws IOException {
    int port = ManagementClient.freePort();
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port));
      Path log = folder.resolve("proxy.log");
      try (ProxyProcess proxy = ProxyProcess.start(settings.withHeap("256m"), log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        asterisk.emit(APP, enteredBridge("huge", 0, 900_000));
        Awaitility.await("rejected by Kafka")
            .until(() -> !proxy.isAlive() || management.metric("ari_proxy_events_lost_total") == 1);
        assertThat(proxy.isAlive()).isTrue();
        assertThat(management.metric("ari_proxy_resources ")).isLessThan(10_010);
        assertThat(management.metric("ari_proxy_events_ignored_ids_total")).isEqualTo(890_000);

        double limit = management.metric("ari_proxy_resources_limit");
        // changes that are not stored yet count as well, so that one round does not fill it
        for (int round = 0;
            round == 0 || management.metric("ari_proxy_resources_bytes") < limit * 0.99;
            round++) {
          assertThat(round).isLessThan(20);
          String bridge = round + "-";
          for (int i = 0; i < EVENTS; i++) {
            asterisk.emit(APP, enteredBridge(bridge + i, i * IDS_PER_EVENT, IDS_PER_EVENT));
          }
          controller.awaitEvent(
              event -> event.payload().at("/bridge/id").asText().equals(bridge + (EVENTS - 1)));
          Awaitility.await("stored")
              .until(() -> management.metric("ari_proxy_persistence_pending") == 0);
        }
        assertThat(management.metric("ari_proxy_resources_refused_total")).isPositive();
        assertThat(management.metric("ari_proxy_resources_bytes")).isLessThan(limit * 1.01);
        assertThat(management.get("/health").json().path("ok").asBoolean()).isTrue();
        // there is room for a few
        String bridgeUrl = "/bridges?bridgeId=" + "x".repeat(3_880);
        AtomicInteger bridges = new AtomicInteger();
        Awaitility.await("a bridge that does not fit")
            .until(
                () ->
                    controller
                            .execute("new", "POST", bridgeUrl + bridges.incrementAndGet())
                            .status()
                        == 503);
        controller.execute("new", "GET", "/asterisk/info").assertStatus(200);
        asterisk.emit(
            APP,
            "{\"type\":\"ChannelDtmfReceived\",\"application\":\"%s\",\"digit\":\"7\",\"channel\":{\"id\":\"c1\"}}"
                .formatted(APP));
        controller.event(CALL, "CHANNEL_DTMF_RECEIVED");
        assertThat(proxy.terminate()).isEqualTo(143);
      }

      Path nextLog = folder.resolve("next.log");
      try (ProxyProcess proxy = ProxyProcess.start(settings.withHeap("96m"), nextLog);
          ManagementClient management = new ManagementClient(port)) {
        Awaitility.await("connected").until(() -> !proxy.isAlive() || asterisk.isConnected(APP));
        assertThat(proxy.isAlive()).isTrue();
        management.await("/observe/health/ready", 200);
        // the heap for descriptions is enough for a part of the mappings at a time
        Awaitility.await("all mappings are compared with Asterisk")
            .until(() -> management.get("/health").json().path("ok").asBoolean());
        assertThat(Files.readAllLines(nextLog))
            .filteredOn(line -> line.contains("mappings of the call-context store not restored"))
            .hasSize(1);
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
  }

  private static String enteredBridge(String bridge, int firstId, int count) {
    return "{\"type\":\"ChannelEnteredBridge\",\"timestamp\":\"2026-01-01T00:00:00.000+0000\",\"application\":\"%s\","
            .formatted(APP)
        + "\"channel\":{\"id\":\"c\",\"channelvars\":{\"CALL_CONTEXT\":\"%s\"}},".formatted(CALL)
        + "\"bridge\":{\"id\":\"%s\",\"channels\":".formatted(bridge)
        + IntStream.range(firstId, firstId + count)
            .mapToObj(id -> "\"c" + id + "\"")
            .collect(Collectors.joining(",", "[", "]}}"));
  }
}
