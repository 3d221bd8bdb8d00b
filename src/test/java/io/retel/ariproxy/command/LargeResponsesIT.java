// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Fills a small heap with large responses during an outage of Kafka, with Java's default collector,
 * in which arrays of more than 512 KB take whole megabytes.
 */
class LargeResponsesIT {

  private static final String APP = "large-responses";

  /** Their responses have a third of the heap, and took more than three times their size. */
  private static final int COMMANDS = 150;

  /** Its response has just less than ari.max-response-body. */
  private static final String VALUE = "x".repeat(524_270);

  @Test
  @FullRun("publishes a hundred megabytes; LargeResponseTest tests the limit")
  void outageOfKafkaDoesNotFillHeap(@TempDir Path folder) throws IOException {
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              .with(Setting.ARI_MAX_REQUEST_BODY, "600KB")
              .with(Setting.ARI_RESPONSE_TIMEOUT, "60s")
              .withHeap("256m")
              .withJvmOption("-XX:-UseSerialGC")
              .withJvmOption("-XX:+UseG1GC");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        controller
            .response(
                controller.send(
                    "first",
                    "POST",
                    "/asterisk/variable",
                    new ObjectMapper()
                        .createObjectNode()
                        .put("variable", "LARGE")
                        .put("value", VALUE)))
            .assertStatus(204);
        Fault held =
            asterisk.faults().holdResponses(request -> request.path().equals("/asterisk/variable"));
        for (int i = 0; i < COMMANDS; i++) {
          controller.send("large-" + i, "GET", "/asterisk/variable?variable=LARGE");
        }
        Awaitility.await("all commands consumed")
            .until(
                () ->
                    management.metric("ari_proxy_commands_queued")
                            + management.metric("ari_proxy_commands_in_flight")
                        == COMMANDS);

        kafka.stop();
        held.clear();
        Awaitility.await("in-flight limit")
            .until(
                () ->
                    !proxy.isAlive() || Files.readString(log).contains("In-flight limit reached"));
        assertThat(proxy.isAlive()).isTrue();
        kafka.start();

        List<Response> responses = controller.responses(COMMANDS + 1);
        assertThat(responses)
            .filteredOn(response -> response.key().startsWith("large-"))
            .hasSize(COMMANDS)
            .extracting(Response::status)
            .contains(200)
            .isSubsetOf(200, 413);
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
  }
}
