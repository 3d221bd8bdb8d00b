// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.CommandLoad;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Edits the command routes while commands are executed: 50 calls with 40 commands each. */
@ExtendWith(KafkaExtension.class)
class RouteReloadUnderCommandLoadIT {

  private static final int CALLS = 50;
  private static final int COMMANDS_PER_CALL = 40;
  private static final int EDITS = 3;

  @ParameterizedTest
  @FullRun("RouteReloadIT reloads it without load")
  @ValueSource(strings = {"commands", "execute-command"})
  void executesEachCommandOnceInCallOrder(String route, KafkaBroker kafka, @TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    assertExecutesEachCommandOnceInCallOrder(
        kafka,
        routes,
        edit -> routes.edit(route + ".camel.yaml", yaml -> yaml + "# revision " + edit + "\n"),
        "/" + route + ".camel.yaml loaded");
  }

  /** {@code execute-command} uses the configuration, and is built again each time. */
  @Test
  @FullRun("CompiledRouteReplacementIT tests it without load")
  void executesEachCommandOnceWhileCommandErrorsAreReplacedAndRestored(
      KafkaBroker kafka, @TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    String file = "command-errors.camel.yaml";
    assertExecutesEachCommandOnceInCallOrder(
        kafka,
        routes,
        edit -> {
          if (edit % 2 == 1) {
            routes.write(file, RoutesDirectory.compiled("command-errors"));
          } else {
            routes.delete(file);
          }
        },
        "compiled [command-errors]");
  }

  private static void assertExecutesEachCommandOnceInCallOrder(
      KafkaBroker kafka, RoutesDirectory routes, IntConsumer applyEdit, String expectedLogLine) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      asterisk.faults().delayResponses(Duration.ofMillis(125));
      ProxySettings settings =
          ProxySettings.of(asterisk, "edited", kafka)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
              // repeated commands must be visible at Asterisk
              .with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka);
          TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
        writer.sendAll(CommandLoad.interleaved(settings.commandsTopic(), CALLS, COMMANDS_PER_CALL));

        for (int edit = 1; edit <= EDITS; edit++) {
          int expectedReloads = edit;
          applyEdit.accept(edit);
          Awaitility.await("edit reloaded")
              .until(() -> linesWith(log, expectedLogLine).size() >= expectedReloads);
        }

        List<Response> responses = controller.responses(CALLS * COMMANDS_PER_CALL);
        assertThat(responses).extracting(Response::commandId).doesNotHaveDuplicates();
        List<String> commandUris =
            asterisk.requests().stream()
                .map(RecordedRequest::uri)
                .filter(uri -> uri.contains("/call"))
                .toList();
        assertThat(commandUris).hasSize(CALLS * COMMANDS_PER_CALL);
        for (int call = 0; call < CALLS; call++) {
          String prefix = "/ari/channels/call" + call + "-";
          assertThat(commandUris.stream().filter(uri -> uri.startsWith(prefix)))
              .containsExactlyElementsOf(
                  IntStream.range(0, COMMANDS_PER_CALL).mapToObj(n -> prefix + n).toList());
        }
        assertThat(proxy.counter("ari-proxy.responses.lost")).isZero();
        assertThat(linesWith(log, expectedLogLine)).hasSize(EDITS);
      }
    }
  }

  private static List<String> linesWith(CapturedLog log, String part) {
    return log.lines(Level.INFO).stream().filter(line -> line.contains(part)).toList();
  }
}
