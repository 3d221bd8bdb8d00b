// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.fixtures.route.ConfigMapVolume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.camel.Route;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests that route files can be edited, added and deleted while the proxy runs. */
class RouteReloadIT {

  private static final String APP = "edited";
  private static final String CUSTOM_ROUTE =
      """
      # a custom route
      - route:
          id: own
          from:
            uri: direct:own
            steps:
              - log: hello
      """;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  @AutoClose private final CapturedLog log = new CapturedLog();
  private SimulatedAsterisk asterisk;
  private RoutesDirectory routes;
  private EmbeddedProxy proxy;
  private Controller controller;
  private int callCount;

  @BeforeEach
  void start(@TempDir Path folder) {
    routes = RoutesDirectory.copyTo(folder);
    asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    proxy = fixture.startProxy();
    controller = fixture.controller();
    assertEventsAndCommandsPass();
  }

  /** Kafka's producer rejects this configuration when it is created. */
  @ParameterizedTest
  @CsvSource({
    "publish, lingerMs: 5, lingerMs: -5",
    "events, 'id: publish-event\n            # like direct:, but the called route can be edited under load\n            uri: handover:publish', 'id: publish-event\n            uri: kafka:elsewhere?brokers=localhost:1&lingerMs=-5'",
    "execute-command, 'id: publish-response\n            uri: handover:publish', 'id: publish-response\n            uri: kafka:elsewhere?brokers=localhost:1&lingerMs=-5'"
  })
  void rollsBackWhenStepCannotStart(String route, String original, String replacement) {
    routes.edit(route + ".camel.yaml", yaml -> yaml.replace(original, replacement));
    assertRolledBack(route, "linger.ms");
  }

  /** A second consumer of an endpoint is detected only when the route starts. */
  @ParameterizedTest
  @ValueSource(strings = {"events", "commands", "execute-command"})
  void rollsBackWhenRouteCannotStart(String route) {
    routes.edit(
        route + ".camel.yaml",
        yaml ->
            yaml.replaceFirst(
                "      uri: .*\\R      parameters:\\R(        .*\\R)+",
                "      uri: handover:publish\n"));
    assertRolledBack(route, "Multiple consumers for the same endpoint is not allowed");
  }

  /** Without the route, every event or command would wait, or be lost. */
  @ParameterizedTest
  @CsvSource({
    "publish,         '    id: publish\n', '    id: publish\n    autoStartup: \"false\"\n', never starts",
    "publish,         '    id: publish\n', '    id: another\n', is missing",
    "execute-command, '    id: execute-command\n', '    id: execute-command\n    precondition: \"{{?never}}\"\n', is not created",
    "execute-command, 'routeConfigurationId: command-errors', 'routeConfigurationId: command-error', no route configuration has the id command-error",
    "events,          '- route:', '- interceptFrom:\n    steps:\n      - stop: {}\n- route:', intercept and interceptFrom are not for the proxy",
    "events,          '- route:', '- interceptSendToEndpoint:\n    uri: kafka:*\n    steps:\n      - stop: {}\n- route:', applies to the routes of all files",
  })
  void requiredRouteContinuesAfterEditThatEndsIt(
      String route, String original, String replacement, String reason) {
    routes.edit(
        route + ".camel.yaml",
        yaml -> {
          String edited = yaml.replaceFirst("(?m)" + Pattern.quote(original), replacement);
          assertThat(edited).isNotEqualTo(yaml);
          return edited;
        });
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(log.lines(Level.ERROR))
                    .singleElement(InstanceOfAssertFactories.STRING)
                    .contains(route + ".camel.yaml")
                    .contains(reason));
    assertEventsAndCommandsPass();
  }

  /** As a ConfigMap changes both at once. */
  @Test
  void shippedFileWaitsForItsConfigurationInAnotherFile() {
    routes.edit("execute-command.camel.yaml", yaml -> yaml.replace("command-errors", "own-errors"));
    awaitLogLine(Level.ERROR, "no route configuration has the id own-errors");
    routes.write(
        "own-errors.camel.yaml",
        RoutesDirectory.compiled("command-errors")
            .replace("id: command-errors", "id: own-errors")
            // each id exists once
            .replaceAll("( +(?:- )?id: )(?!own-errors)", "$1own-"));
    awaitLogLine(Level.INFO, "execute-command.camel.yaml loaded");
    assertEventsAndCommandsPass();
  }

  @Test
  void runsAddedFileUntilDeleted() {
    routes.write("own.camel.yaml", CUSTOM_ROUTE);
    awaitLogLine(Level.INFO, "own.camel.yaml loaded");
    assertThat(proxy.context().getRouteController().getRouteStatus("own").isStarted()).isTrue();

    routes.delete("own.camel.yaml");
    awaitLogLine(Level.INFO, "own.camel.yaml deleted: [own] stopped and removed");
    assertThat(proxy.context().getRoute("own")).isNull();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void checksWhoCanChangeAddedFile(@TempDir Path elsewhere) throws IOException {
    Path target = Files.writeString(elsewhere.resolve("shared.yaml"), CUSTOM_ROUTE);
    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-rw-rw-"));
    Path link = routes.path().resolve("own.camel.yaml");
    Files.createSymbolicLink(link, target);
    awaitLogLine(Level.ERROR, "own.camel.yaml rejected: Every user of this host can change ");
    assertThat(proxy.context().getRoute("own")).isNull();

    Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rw-r--r--"));
    Files.delete(link);
    Files.createSymbolicLink(link, target);
    awaitLogLine(Level.WARN, "own.camel.yaml is a link to " + target.toRealPath());
    awaitLogLine(Level.INFO, "own.camel.yaml loaded");
  }

  @Test
  void removesAddedFileOnFailure() {
    routes.write("own.camel.yaml", CUSTOM_ROUTE.replace("direct:own", "handover:publish"));
    awaitLogLine(Level.ERROR, "own.camel.yaml failed to load: ");
    Awaitility.await("route removed").until(() -> proxy.context().getRoute("own") == null);
    routes.write("own.camel.yaml", CUSTOM_ROUTE);
    awaitLogLine(Level.INFO, "own.camel.yaml loaded");
    assertEventsAndCommandsPass();
  }

  @Test
  void requiredRouteRunsAfterFileDeletion() {
    String events = routes.read("events.camel.yaml");
    routes.delete("events.camel.yaml");
    awaitLogLine(Level.ERROR, "events.camel.yaml deleted: [events] continues unchanged");
    assertEventsAndCommandsPass();

    routes.write("events.camel.yaml", events);
    awaitLogLine(Level.INFO, "events.camel.yaml loaded");
    assertEventsAndCommandsPass();
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }

  @Test
  void rejectsEmptiedFile() {
    String events = routes.read("events.camel.yaml");
    routes.overwrite("events.camel.yaml", "");
    awaitLogLine(Level.ERROR, "events.camel.yaml is empty: its routes continue unchanged");
    assertEventsAndCommandsPass();

    routes.overwrite("events.camel.yaml", events + "# edited\n");
    awaitLogLine(Level.INFO, "events.camel.yaml loaded");
    assertThat(log.lines(Level.ERROR)).hasSize(1);
    assertEventsAndCommandsPass();
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }

  @Test
  void reloadsFileSavedInPlace() {
    routes.overwrite("events.camel.yaml", routes.read("events.camel.yaml") + "# edited\n");
    awaitLogLine(Level.INFO, "events.camel.yaml loaded");
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void rejectsFileWithDuplicateRouteId() {
    Route running = proxy.context().getRoute("events");
    routes.write(
        "a-copy.camel.yaml", routes.read("events.camel.yaml").replace("buildEventEnvelope", "no"));
    routes.write("b-copy.camel.yaml", routes.read("events.camel.yaml"));
    for (String copy : List.of("a-copy", "b-copy")) {
      awaitLogLine(
          Level.ERROR,
          copy
              + ".camel.yaml rejected: route id events belongs to events.camel.yaml, which continues unchanged");
    }
    assertThat(proxy.context().getRoute("events")).as("not even stopped").isSameAs(running);
    assertThat(log.lines(Level.WARN))
        .noneMatch(line -> line.contains("rolled back to its previous version"));
    assertEventsAndCommandsPass();

    routes.edit("events.camel.yaml", yaml -> yaml + "# edited\n");
    awaitLogLine(Level.INFO, "/events.camel.yaml loaded");
    assertEventsAndCommandsPass();
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }

  @Test
  void rejectsEditToDuplicateRouteId() {
    routes.write("own.camel.yaml", CUSTOM_ROUTE);
    awaitLogLine(Level.INFO, "own.camel.yaml loaded");
    Route running = proxy.context().getRoute("own");
    routes.write("own.camel.yaml", CUSTOM_ROUTE.replace("id: own", "id: events"));
    awaitLogLine(Level.ERROR, "own.camel.yaml rejected: route id events belongs to events.camel");
    assertThat(proxy.context().getRoute("own")).isSameAs(running);
  }

  @Test
  void logsUnchangedFileOnce() throws IOException {
    routes.write("own.camel.yaml", CUSTOM_ROUTE.replace("direct:own", "handover:publish"));
    awaitLogLine(Level.ERROR, "own.camel.yaml failed to load: ");
    Path file = routes.path().resolve("own.camel.yaml");
    // notifies the watcher again, like a file written in several steps
    Files.setLastModifiedTime(file, Files.getLastModifiedTime(file));
    routes.write("next.camel.yaml", CUSTOM_ROUTE.replace("own", "next"));
    awaitLogLine(Level.INFO, "next.camel.yaml loaded");
    assertThat(log.lines(Level.ERROR)).hasSize(1);
  }

  @Test
  void reloadsShippedFileOfConfigMap(@TempDir Path mount) {
    Map<String, String> files = new TreeMap<>();
    for (String file : RouteFiles.SHIPPED) {
      files.put(file, routes.read(file));
    }
    ConfigMapVolume volume = new ConfigMapVolume(mount);
    volume.update(files);
    fixture.settings().with(Setting.ROUTES_DIRECTORY, mount.toString());
    proxy.close();
    proxy = fixture.startProxy();
    assertEventsAndCommandsPass();
    Route commands = proxy.context().getRoute("commands");

    files.computeIfPresent("events.camel.yaml", (name, yaml) -> yaml + "# edited\n");
    volume.update(files);
    awaitLogLine(Level.INFO, "events.camel.yaml loaded");
    assertEventsAndCommandsPass();
    assertThat(proxy.context().getRoute("commands")).as("not rebuilt").isSameAs(commands);
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  /** With a slash at its end, as shells complete it. */
  @Test
  void reloadsFilesOfLinkedFolder(@TempDir Path releases) throws IOException {
    Path first = Files.createDirectory(releases.resolve("1"));
    RoutesDirectory edited = RoutesDirectory.copyTo(first);
    Path second = Files.createDirectory(releases.resolve("2"));
    RoutesDirectory.copyTo(second).edit("publish.camel.yaml", yaml -> yaml + "# second\n");
    Path link = Files.createSymbolicLink(releases.resolve("current"), first);
    fixture.settings().with(Setting.ROUTES_DIRECTORY, link + "/");
    proxy.close();
    proxy = fixture.startProxy();
    assertEventsAndCommandsPass();

    edited.edit("events.camel.yaml", yaml -> yaml + "# edited\n");
    awaitLogLine(Level.INFO, "/events.camel.yaml loaded");

    Path next = Files.createSymbolicLink(releases.resolve("next"), second);
    Files.move(next, link, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    // any change also checks the link, before the next check of each 5 s
    Files.createFile(first.resolve("a.txt"));
    awaitLogLine(Level.INFO, "/publish.camel.yaml loaded");
    assertEventsAndCommandsPass();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  private void assertRolledBack(String route, String reason) {
    awaitLogLine(Level.WARN, route + ".camel.yaml rolled back to its previous version");
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .contains(route + ".camel.yaml failed to load: ")
        .contains(reason)
        .doesNotContain("\n");
    assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("does not start"));
    assertEventsAndCommandsPass();
    assertThat(asterisk.totalWebsocketCount()).isOne();
  }

  private void awaitLogLine(Level level, String text) {
    Awaitility.await(text)
        .until(() -> log.lines(level).stream().anyMatch(line -> line.contains(text)));
  }

  private void assertEventsAndCommandsPass() {
    callCount++;
    String callContext = "call-" + callCount;
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", callContext));
    controller.event(callContext, "STASIS_START");
    assertThat(controller.execute(callContext, "GET", "/asterisk/ping")).isNotNull();
  }
}
