// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tests thousands of malformed commands and events. */
@FullRun("thousands of messages; RateLimitFilterTest tests the limit alone")
class MalformedFloodIT {

  private static final String APP = "malformed";
  private static final int MALFORMED = 3_000;
  private static final int MALFORMED_BETWEEN = 50;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;

  @Test
  void logsOneLineASecondAndLosesNoOtherMessage() throws Exception {
    int port = ManagementClient.freePort();
    Path log = folder.resolve("proxy.log");
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    String topic =
        fixture.settings().with(Setting.MANAGEMENT_PORT, Integer.toString(port)).commandsTopic();
    fixture.startProxyProcess(log);
    Controller controller = fixture.controller();
    TopicWriter writer = fixture.register(new TopicWriter(fixture.kafka().bootstrapServers()));
    ManagementClient management = fixture.register(new ManagementClient(port));
    controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

    long start = System.nanoTime();
    Flood flood = asterisk.flood(APP, 200, 10);
    List<ProducerRecord<String, byte[]>> commands = new ArrayList<>();
    List<String> good = new ArrayList<>();
    for (int i = 0; i < MALFORMED; i++) {
      asterisk.emit(APP, "malformed event " + i);
      commands.add(
          new ProducerRecord<>(
              topic,
              "key-" + i % MALFORMED_BETWEEN,
              ("malformed command " + i).getBytes(StandardCharsets.UTF_8)));
      if (i % MALFORMED_BETWEEN == 0) {
        good.add("good-" + i);
        commands.add(new ProducerRecord<>(topic, "call", MarkerCommand.json("call", "good-" + i)));
      }
    }
    writer.sendAll(commands).join();
    Awaitility.await("all RESPONSEs")
        .until(
            () -> {
              assertThat(management.get("/health").json().path("ok").asBoolean()).isTrue();
              return controller.responses().size() >= 1 + commands.size();
            });

    good.forEach(id -> controller.response(id).assertStatus(200));
    assertThat(MarkerCommand.executed(asterisk)).containsExactlyElementsOf(good);
    controller.assertPublishedOnceInOrder(flood);
    Awaitility.await("all malformed events")
        .until(() -> management.metric("ari_proxy_events_malformed_total") == MALFORMED);
    long seconds = 1 + Duration.ofNanos(System.nanoTime() - start).toSeconds();
    List<String> lines = Files.readAllLines(log);
    for (String kind : List.of("400 for ", "Malformed websocket message")) {
      assertThat(lines)
          .filteredOn(line -> line.contains(kind))
          .as("%s within %d s", kind, seconds)
          .hasSizeBetween(2, (int) (1 + seconds));
      assertThat(counted(lines, kind)).as(kind).isLessThanOrEqualTo(MALFORMED);
    }
  }

  /** Returns the number of messages that lines of a kind report. */
  private static int counted(List<String> lines, String kind) {
    return lines.stream()
        .filter(line -> line.contains(kind))
        .mapToInt(
            line ->
                line.endsWith(" more like it within a second")
                    ? 1 + Integer.parseInt(line.replaceFirst(".* and (\\d+) more like.*", "$1"))
                    : 1)
        .sum();
  }
}
