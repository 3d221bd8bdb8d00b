// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Edits routes under 2,000 events per second: each edit takes effect without side effects. */
class RouteReloadUnderEventLoadIT {

  private static final String APP = "edited";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  @FullRun("DocsRouteEditsIT reloads it without load")
  void reloadsEventRouteWithoutLosingEvents(@TempDir Path folder) {
    assertReloadsFiveTimes(
        folder, "events.camel.yaml", "        - to:\n            id: publish-event\n");
  }

  @Test
  @FullRun("KafkaOutageIT edits it during an outage")
  void reloadsPublishRouteWithoutLosingEvents(@TempDir Path folder) {
    assertReloadsFiveTimes(
        folder, "publish.camel.yaml", "        - choice:\n            id: select-topic\n");
  }

  private void assertReloadsFiveTimes(Path folder, String file, String anchor) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    Flood flood = asterisk.flood(APP, 2_000, 50);

    for (int i = 1; i <= 5; i++) {
      String revision = Integer.toString(i);
      routes.edit(
          file,
          yaml ->
              yaml.replaceAll("        - setHeader:\n(            .*\n)+", "")
                  .replace(
                      anchor,
                      """
                              - setHeader:
                                  id: set-revision
                                  name: revision
                                  expression:
                                    constant:
                                      expression: "%s"
                      """
                              .formatted(revision)
                          + anchor));
      controller.await(record -> revision.equals(record.header("revision")));
    }

    flood.awaitMore(500);
    controller.assertPublishedOnceInOrder(flood);
    assertThat(asterisk.totalWebsocketCount()).as("websockets ever opened").isOne();
    assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
  }

  /** {@code events} and {@code publish} use the configurations, and are built again each time. */
  @ParameterizedTest
  @ValueSource(strings = {"event-errors", "propagate-errors", "publish-missed-events"})
  @FullRun("CompiledRouteReplacementIT tests it without load")
  void replacesAndRestoresCompiledWithoutLosingEvents(String id, @TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    CapturedLog log = fixture.register(new CapturedLog());
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    Flood flood = asterisk.flood(APP, 2_000, 50);

    for (int i = 1; i <= 3; i++) {
      routes.write(id + ".camel.yaml", RoutesDirectory.compiled(id) + "# " + i + "\n");
      awaitLogLines(log, "loaded; it replaces compiled [" + id + "]", i);
      flood.awaitMore(500);
      routes.delete(id + ".camel.yaml");
      awaitLogLines(log, "deleted: compiled [" + id + "] restored", i);
      flood.awaitMore(500);
    }

    controller.assertPublishedOnceInOrder(flood);
    assertThat(asterisk.totalWebsocketCount()).as("websockets ever opened").isOne();
    assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  private static void awaitLogLines(CapturedLog log, String text, int count) {
    Awaitility.await(text)
        .until(
            () ->
                log.lines(Level.INFO).stream().filter(line -> line.contains(text)).count()
                    == count);
  }

  /** Invalid edits: a syntax error, an unknown bean and an unknown component. */
  @ParameterizedTest
  @FullRun("DocsRouteEditsIT rejects the edits of the documentation")
  @CsvSource({
    "- process:, - proces:, proces",
    "ref: buildEventEnvelope, ref: buildEventEnvelopes, buildEventEnvelopes",
    "uri: handover:publish, uri: hangover:publish, hangover"
  })
  void rejectsInvalidEditWithOneLogLine(
      String original, String replacement, String expectedMessage, @TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    CapturedLog log = fixture.register(new CapturedLog());
    fixture.settings().with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    Flood flood = asterisk.flood(APP, 1_000, 10);

    routes.edit("events.camel.yaml", yaml -> yaml.replace(original, replacement));

    Awaitility.await("error logged").until(() -> !log.lines(Level.ERROR).isEmpty());
    flood.awaitMore(500);
    controller.assertPublishedOnceInOrder(flood);
    assertThat(proxy.context().getRouteController().getRouteStatus("events").isStarted()).isTrue();
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .contains("events.camel.yaml failed to load")
        .contains(expectedMessage)
        .doesNotContain("\n");

    // the correction, which must not block the next edit of another file
    routes.edit("events.camel.yaml", yaml -> yaml.replace(replacement, original) + "# corrected\n");
    routes.edit("publish.camel.yaml", yaml -> yaml + "# edited\n");
    asterisk.call(APP);
    controller.awaitEvent(event -> event.hasType("STASIS_START"));
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }
}
