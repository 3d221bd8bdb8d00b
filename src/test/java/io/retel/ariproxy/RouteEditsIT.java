package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.Closer;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.camel.Route;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of route files that are edited, added and deleted while the proxy runs. */
@ExtendWith(KafkaExtension.class)
class RouteEditsIT {

  private static final String APP = "edited";
  private static final String OWN =
      """
      # One's own.
      - route:
          id: own
          from:
            uri: direct:own
            steps:
              - log: hello
      """;

  @AutoClose private final Closer closer = new Closer();
  private final CapturedLog log = closer.register(new CapturedLog());
  private final SimulatedAsterisk asterisk = closer.register(SimulatedAsterisk.start());
  private RoutesFolder routes;
  private RunningProxy proxy;
  private Controller controller;
  private int calls;

  @BeforeEach
  void start(KafkaBroker kafka, @TempDir Path folder) {
    routes = RoutesFolder.copyInto(folder);
    ProxySettings settings =
        ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, folder.toString());
    proxy = closer.register(RunningProxy.start(settings));
    controller = closer.register(new Controller(settings, kafka));
    asterisk.awaitConnected(APP);
    assertEventsAndCommandsPass();
  }

  /** Kafka's producer does not take it, which shows when it is made. */
  @ParameterizedTest
  @CsvSource({
    "publish, lingerMs: 5, lingerMs: -5",
    "events, 'id: publish-event\n            # a call into the route of that name, as direct: is, for a route that can be edited under load\n            uri: handover:publish', 'id: publish-event\n            uri: kafka:elsewhere?brokers=localhost:1&lingerMs=-5'",
    "execute-command, 'id: publish-response\n            uri: handover:publish', 'id: publish-response\n            uri: kafka:elsewhere?brokers=localhost:1&lingerMs=-5'"
  })
  void anEditWhoseStepCannotStartIsUndone(String route, String before, String after) {
    routes.edit(route + ".camel.yaml", yaml -> yaml.replace(before, after));
    assertUndone(route, "linger.ms");
  }

  /** Whether there is another one that consumes shows when the route starts, and not before. */
  @ParameterizedTest
  @ValueSource(strings = {"events", "commands", "execute-command"})
  void anEditWhoseRouteLoadsAndCannotStartIsUndone(String route) {
    routes.edit(
        route + ".camel.yaml",
        yaml ->
            yaml.replaceFirst(
                "      uri: .*\\R      parameters:\\R(        .*\\R)+",
                "      uri: handover:publish\n"));
    assertUndone(route, "Multiple consumers for the same endpoint is not allowed");
  }

  @Test
  void aFileThatIsAddedRunsUntilItIsDeleted() {
    routes.write("own.camel.yaml", OWN);
    awaitLine(Level.INFO, "own.camel.yaml is taken over as it is now");
    assertThat(proxy.context().getRouteController().getRouteStatus("own").isStarted()).isTrue();

    routes.delete("own.camel.yaml");
    awaitLine(Level.INFO, "own.camel.yaml is gone: [own] is stopped and removed");
    assertThat(proxy.context().getRoute("own")).isNull();
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void aFileThatIsAddedAndCannotRunLeavesNothingBehind() {
    routes.write("own.camel.yaml", OWN.replace("direct:own", "handover:publish"));
    awaitLine(Level.ERROR, "own.camel.yaml cannot run as it is now: ");
    Awaitility.await("it is gone").until(() -> proxy.context().getRoute("own") == null);
    routes.write("own.camel.yaml", OWN);
    awaitLine(Level.INFO, "own.camel.yaml is taken over as it is now");
    assertEventsAndCommandsPass();
  }

  @Test
  void aMainRouteWhoseFileIsDeletedRunsOnAndSaysSo() {
    String events = routes.read("events.camel.yaml");
    routes.delete("events.camel.yaml");
    awaitLine(Level.ERROR, "events.camel.yaml is gone: [events] runs on as it was");
    assertEventsAndCommandsPass();

    routes.write("events.camel.yaml", events);
    awaitLine(Level.INFO, "events.camel.yaml is taken over as it is now");
    assertEventsAndCommandsPass();
    assertThat(asterisk.websocketsTotal()).isOne();
  }

  @Test
  void aFileThatIsEmptiedRunsOnAndSaysSo() {
    String events = routes.read("events.camel.yaml");
    routes.overwrite("events.camel.yaml", "");
    awaitLine(Level.ERROR, "events.camel.yaml is empty: what ran of it runs on as it was");
    assertEventsAndCommandsPass();

    routes.overwrite("events.camel.yaml", events + "# edited\n");
    awaitLine(Level.INFO, "events.camel.yaml is taken over as it is now");
    assertThat(log.lines(Level.ERROR)).hasSize(1);
    assertEventsAndCommandsPass();
    assertThat(asterisk.websocketsTotal()).isOne();
  }

  @Test
  void aFileThatIsSavedInPlaceIsNotCalledEmpty() {
    routes.overwrite("events.camel.yaml", routes.read("events.camel.yaml") + "# edited\n");
    awaitLine(Level.INFO, "events.camel.yaml is taken over as it is now");
    assertThat(log.lines(Level.ERROR)).isEmpty();
  }

  @Test
  void aCopyBesideAFileIsLeftOutAndTheFilesOwnRouteRunsOn() {
    Route running = proxy.context().getRoute("events");
    routes.write("a-copy.camel.yaml", routes.read("events.camel.yaml").replace("wrapEvent", "no"));
    routes.write("b-copy.camel.yaml", routes.read("events.camel.yaml"));
    for (String copy : List.of("a-copy", "b-copy")) {
      awaitLine(
          Level.ERROR,
          copy
              + ".camel.yaml is left out: the route events is that of events.camel.yaml, which runs on");
    }
    assertThat(proxy.context().getRoute("events")).as("it was not even stopped").isSameAs(running);
    assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("runs as it was before"));
    assertEventsAndCommandsPass();

    routes.edit("events.camel.yaml", yaml -> yaml + "# edited\n");
    awaitLine(Level.INFO, "/events.camel.yaml is taken over as it is now");
    assertEventsAndCommandsPass();
    assertThat(asterisk.websocketsTotal()).isOne();
  }

  @Test
  void aFileThatGetsAnIdOfAnotherOneRunsOnAsItWas() {
    routes.write("own.camel.yaml", OWN);
    awaitLine(Level.INFO, "own.camel.yaml is taken over as it is now");
    Route running = proxy.context().getRoute("own");
    routes.write("own.camel.yaml", OWN.replace("id: own", "id: events"));
    awaitLine(Level.ERROR, "own.camel.yaml is left out: the route events is that of events.camel");
    assertThat(proxy.context().getRoute("own")).isSameAs(running);
  }

  @Test
  void aFileThatIsSeenAgainUnchangedIsSpokenOfOnce() throws IOException {
    routes.write("own.camel.yaml", OWN.replace("direct:own", "handover:publish"));
    awaitLine(Level.ERROR, "own.camel.yaml cannot run as it is now: ");
    Path own = routes.path().resolve("own.camel.yaml");
    // tells the watcher of it a second time, as a file does that is written in more than one go
    Files.setLastModifiedTime(own, Files.getLastModifiedTime(own));
    routes.write("next.camel.yaml", OWN.replace("own", "next"));
    awaitLine(Level.INFO, "next.camel.yaml is taken over as it is now");
    assertThat(log.lines(Level.ERROR)).hasSize(1);
  }

  private void assertUndone(String route, String why) {
    awaitLine(Level.WARN, route + ".camel.yaml runs as it was before");
    assertThat(log.lines(Level.ERROR))
        .singleElement()
        .asString()
        .contains(route + ".camel.yaml cannot run as it is now: ")
        .contains(why)
        .doesNotContain("\n");
    assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("does not start"));
    assertEventsAndCommandsPass();
    assertThat(asterisk.websocketsTotal()).isOne();
  }

  private void awaitLine(Level level, String part) {
    Awaitility.await(part)
        .until(() -> log.lines(level).stream().anyMatch(line -> line.contains(part)));
  }

  private void assertEventsAndCommandsPass() {
    calls++;
    String callContext = "call-" + calls;
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", callContext));
    controller.event(callContext, "STASIS_START", payload -> true);
    assertThat(controller.ask(callContext, "GET", "/asterisk/ping")).isNotNull();
  }
}
