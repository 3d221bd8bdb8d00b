// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Files of route authors that do not load when the proxy starts: calls continue without them. */
class AdditionalRoutesIT {

  private static final String APP = "additional";
  private static final String REJECTED = "ari-proxy.route-files.rejected";
  private static final String ROUTE =
      """
      - route:
          id: %s
          from:
            uri: direct:%s
            steps:
              - %s
      """;

  /** File names and the reason to be logged. */
  private static final Map<String, String> REASONS =
      Map.of(
          "bean.camel.yaml", "nobody",
          "component.camel.yaml", "nowhere",
          "data-format.camel.yaml", "protobuf",
          "duplicate.camel.yaml", "route id publish belongs to publish.camel.yaml",
          "empty.camel.yaml", "is empty: none of its routes run",
          "language.camel.yaml", "groovy",
          "placeholder.camel.yaml", "not.a.setting",
          "producer.camel.yaml", "linger.ms",
          "step.camel.yaml", "unmarschal",
          "yaml.camel.yaml", "while parsing");

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = CapturedLog.asShipped();

  /** Its configuration can be in an additional file, which loads later. */
  @Test
  void namesShippedRouteWithoutConfiguration(@TempDir Path folder) {
    RoutesDirectory.copyTo(folder)
        .edit("execute-command.camel.yaml", yaml -> yaml.replace("command-errors", "own-errors"));
    fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    fixture.startProxy();
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(log.lines(Level.ERROR))
                    .containsExactly(
                        "no route configuration has the id own-errors, which the route"
                            + " execute-command names: its error handling is missing. Correct the id"));
  }

  @Test
  void skipsFilesThatDoNotLoad(@TempDir Path folder) throws Exception {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    writeRoute(routes, "bean", "process: {ref: nobody}");
    writeRoute(routes, "component", "to: nowhere:at-all");
    writeRoute(routes, "data-format", "unmarshal: {protobuf: {}}");
    routes.write("duplicate.camel.yaml", ROUTE.formatted("publish", "duplicate", "log: hello"));
    Files.createFile(folder.resolve("empty.camel.yaml"));
    writeRoute(routes, "language", "setBody: {groovy: {expression: body}}");
    writeRoute(routes, "placeholder", "to: \"log:{{not.a.setting}}\"");
    writeRoute(routes, "producer", "to: kafka:elsewhere?brokers=localhost:1&lingerMs=-5");
    writeRoute(routes, "step", "unmarschal: {json: {}}");
    routes.write("yaml.camel.yaml", "- route: [");
    writeRoute(routes, "valid", "setBody: {constant: {expression: reached}}");
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    EmbeddedProxy proxy = fixture.startProxy();

    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
    fixture.controller().event("call", "STASIS_START");
    fixture.controller().execute("call", "GET", "/asterisk/ping").assertStatus(200);

    assertThat(proxy.context().createProducerTemplate().requestBody("direct:valid", ""))
        .isEqualTo("reached");
    List<String> errors = log.lines(Level.ERROR);
    REASONS.forEach(
        (file, reason) ->
            assertThat(errors)
                .filteredOn(line -> line.contains("/" + file + " "))
                .singleElement()
                .asString()
                .contains(reason));
    assertThat(errors).hasSameSizeAs(REASONS.keySet());
    assertThat(proxy.gauge(REJECTED)).isEqualTo(REASONS.size());
    assertThat(proxy.health("route-files")).contains("bean.camel.yaml", "and 7 more");

    writeRoute(routes, "bean", "setBody: {constant: {expression: corrected}}");
    REASONS.keySet().stream().filter(file -> !file.startsWith("bean")).forEach(routes::delete);
    Awaitility.await("all files in effect").until(() -> proxy.gauge(REJECTED) == 0);
    assertThat(proxy.context().createProducerTemplate().requestBody("direct:bean", ""))
        .isEqualTo("corrected");
    assertThat(proxy.health("route-files")).doesNotContain("camel.yaml");
  }

  @Test
  @FullRun("blocks twice for six seconds; BlockedStepsTest names steps")
  void namesStepThatBlocksAllEvents(@TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    routes.edit(
        "events.camel.yaml",
        yaml ->
            yaml.replace(
                "        - to:\n            id: publish-event\n",
                "        - delay:\n            id: wait-for-nothing\n"
                    + "            asyncDelayed: \"false\"\n            constant: {expression: \"6000\"}\n"
                    + "        - to:\n            id: publish-event\n"));
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    EmbeddedProxy proxy = fixture.startProxy();
    fixture.controller().awaitApplication();
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));

    Awaitility.await("the step is reported")
        .until(() -> proxy.gauge("ari-proxy.events.blocked") >= 4);
    assertThat(proxy.health("route-steps"))
        .startsWith(
            "UP: Events wait for step wait-for-nothing of route events (events.camel.yaml:");
    Awaitility.await("the end is reported")
        .until(
            () ->
                log.lines(Level.INFO).stream()
                    .anyMatch(
                        line ->
                            line.startsWith(
                                "Events no longer wait for step wait-for-nothing of route events (")));
    assertThat(log.lines(Level.WARN))
        .anyMatch(
            line ->
                line.matches(
                    "Events wait for step wait-for-nothing of route events"
                        + " \\(events.camel.yaml:\\d+\\), for [4-9] s: .*"));
    fixture.controller().event("call", "STASIS_START");
  }

  @Test
  @FullRun("blocks for six seconds")
  void namesStepThatBlocksCommands(@TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    routes.edit(
        "execute-command.camel.yaml",
        yaml ->
            yaml.replace(
                "        - process:\n            id: build-ari-request\n",
                "        - delay:\n            id: wait-for-nothing\n"
                    + "            asyncDelayed: \"false\"\n            constant: {expression: \"6000\"}\n"
                    + "        - process:\n            id: build-ari-request\n"));
    fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    EmbeddedProxy proxy = fixture.startProxy();
    fixture.controller().awaitApplication();
    String id = fixture.controller().send("call", "GET", "/asterisk/ping");

    Awaitility.await("the step is reported")
        .until(() -> proxy.gauge("ari-proxy.commands.blocked") >= 4);
    assertThat(proxy.health("route-steps"))
        .startsWith(
            "UP: Commands wait for step wait-for-nothing of route execute-command"
                + " (execute-command.camel.yaml:");
    assertThat(proxy.gauge("ari-proxy.events.blocked")).isZero();
    fixture.controller().response(id);
    assertThat(log.lines(Level.WARN))
        .anyMatch(
            line ->
                line.matches(
                    "Commands wait for step wait-for-nothing of route execute-command"
                        + " \\(execute-command.camel.yaml:\\d+\\), for [4-9] s: .*"));
  }

  private static void writeRoute(RoutesDirectory routes, String id, String step) {
    routes.write(id + ".camel.yaml", ROUTE.formatted(id, id, step));
  }
}
