// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.CommandLoad;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tests pausing commands under load: 50 calls with 40 commands each. */
class PauseIT {

  private static final String APP = "paused";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);
  private static final int CALLS = 50;
  private static final int COMMANDS_PER_CALL = 40;

  /** URL suffix of each call's middle command; later ones wait for its response */
  private static final String MIDDLE_SUFFIX = "-" + COMMANDS_PER_CALL / 2;

  @Test
  void pauseDrainsAndResumeContinuesInOrder(@TempDir Path folder) {
    RoutesDirectory routes = RoutesDirectory.copyTo(folder);
    CapturedLog log = fixture.register(new CapturedLog());
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    asterisk.faults().delayResponses(Duration.ofMillis(100));
    fixture
        .settings()
        .with(Setting.ROUTES_DIRECTORY, routes.path().toString())
        // repeated commands must be visible at Asterisk
        .with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    ManagedBean commands = proxy.managedBean("Commands");
    assertThat(commands.getAttribute("State")).isEqualTo("RUNNING");
    assertProxyState(proxy, "RUNNING");
    Fault hanging = asterisk.faults().hang(request -> request.uri().endsWith(MIDDLE_SUFFIX));
    sendCommands();
    controller.responses(300);
    assertThat((int) commands.getAttribute("InFlight")).isPositive();
    assertThat(proxy.gauge("ari-proxy.commands.paused")).isZero();
    assertThat(proxy.gauge("ari-proxy.commands.lag")).isNotNegative();

    commands.invoke("pause");
    // the pause waits for commands in flight
    hanging.clear();
    awaitState(commands, "DRAINED");

    assertThat(commands.getAttribute("InFlight")).isEqualTo(0);
    assertThat(commands.getAttribute("Queued")).isEqualTo(0);
    assertThat((String[]) commands.getAttribute("ActiveRoutes")).isEmpty();
    assertThat(proxy.health("commands")).startsWith("UP: Commands paused by an operator since ");
    assertThat(proxy.gauge("ari-proxy.commands.paused")).isOne();
    assertProxyState(proxy, "PAUSED");
    assertThat(proxy.gauge("ari-proxy.commands.lag")).as("lag of a paused topic").isNaN();
    int executed = commandUris(asterisk).size();
    assertThat(executed).isBetween(300, CALLS * COMMANDS_PER_CALL - 1);

    // events continue, and a route edit does not end the pause
    String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during-pause")).id();
    controller.event("during-pause", "STASIS_START");
    routes.edit("commands.camel.yaml", yaml -> yaml + "# edited\n");
    awaitLogLine(log, "commands.camel.yaml loaded");
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "later"));
    controller.event("later", "STASIS_START");
    assertThat(commands.getAttribute("State")).isEqualTo("DRAINED");
    assertThat(commandUris(asterisk)).hasSize(executed);
    assertThat(asterisk.channelIds()).contains(channel);

    commands.invoke("resume");

    List<Response> responses = controller.responses(CALLS * COMMANDS_PER_CALL);
    assertThat(responses).extracting(Response::commandId).doesNotHaveDuplicates();
    assertExecutedOnceInOrder(commandUris(asterisk));
    assertThat(commands.getAttribute("State")).isEqualTo("RUNNING");
    assertThat(commands.getAttribute("PausedSince")).isEqualTo("");
    assertThat((String[]) commands.getAttribute("ActiveRoutes")).containsExactly("commands");
    assertThat(proxy.health("commands")).isEqualTo("UP");
    assertThat(proxy.gauge("ari-proxy.commands.paused")).isZero();
    assertThat(proxy.gauge("ari-proxy.commands.lag")).isNotNegative();
    assertProxyState(proxy, "RUNNING");
    for (String message : List.of("commands paused", "Commands drained", "commands resumed")) {
      assertThat(log.lines(Level.INFO)).filteredOn(line -> line.contains(message)).hasSize(1);
    }

    Fault lastCommand = asterisk.faults().holdResponses(request -> true);
    controller.send("call0", "GET", "/channels/last");
    lastCommand.awaitHits(1);
    CompletableFuture<Void> stop = CompletableFuture.runAsync(proxy::close);
    Awaitility.await("the shutdown has begun")
        .until(() -> proxy.gauge("ari-proxy.state", "state", "DRAINING") == 1);
    assertProxyState(proxy, "DRAINING");
    lastCommand.clear();
    stop.join();
    assertThat(log.lines(Level.INFO))
        .filteredOn(line -> line.startsWith("State "))
        .extracting(line -> line.split("[ :]")[1])
        .containsExactly("RESTORING", "RUNNING", "PAUSED", "RUNNING", "DRAINING", "STOPPED");
  }

  @Test
  void immediateResumeRepeatsNoCommand() {
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    asterisk.faults().delayResponses(Duration.ofMillis(50));
    fixture.settings().with(Setting.COMMANDS_DEDUP_WINDOW, "0s");
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    ManagedBean commands = proxy.managedBean("Commands");
    sendCommands();
    controller.responses(300);

    for (int i = 0; i < 3; i++) {
      commands.invoke("pause");
      commands.invoke("resume");
      awaitState(commands, "RUNNING");
    }

    controller.responses(CALLS * COMMANDS_PER_CALL);
    assertExecutedOnceInOrder(commandUris(asterisk));
  }

  @Test
  void healthReportsManuallyStoppedRoute() {
    fixture.startSimulatedAsterisk();
    EmbeddedProxy proxy = fixture.startProxy();
    awaitHealth(proxy, "UP");
    ManagedBean route = proxy.camelManagedBean("routes", "commands");
    route.invoke("stop");
    assertThat(proxy.health("commands"))
        .isEqualTo("UP: Stopped manually, not restarted yet: [commands]");
    route.invoke("start");
    awaitHealth(proxy, "UP");
  }

  private void sendCommands() {
    TopicWriter writer = fixture.register(new TopicWriter(fixture.kafka().bootstrapServers()));
    writer.sendAll(
        CommandLoad.interleaved(fixture.settings().commandsTopic(), CALLS, COMMANDS_PER_CALL));
  }

  /** Checks that health, JMX and metrics show the same state. */
  private static void assertProxyState(EmbeddedProxy proxy, String expected) {
    assertThat(proxy.healthDetail("startup", "state")).isEqualTo(expected);
    assertThat(proxy.managedBean("Proxy").getAttribute("State")).isEqualTo(expected);
    for (String state :
        List.of("STARTING", "RESTORING", "RUNNING", "PAUSED", "DRAINING", "STOPPED")) {
      assertThat(proxy.gauge("ari-proxy.state", "state", state))
          .as(state)
          .isEqualTo(state.equals(expected) ? 1 : 0);
    }
  }

  private static void awaitHealth(EmbeddedProxy proxy, String expected) {
    Awaitility.await(expected)
        .until(
            () ->
                ((String[]) proxy.managedBean("Commands").getAttribute("ActiveRoutes")).length > 0);
    Awaitility.await(expected).until(() -> proxy.health("commands"), expected::equals);
  }

  private static void awaitState(ManagedBean commands, String state) {
    Awaitility.await("commands are " + state)
        .until(() -> commands.getAttribute("State"), state::equals);
  }

  private static void awaitLogLine(CapturedLog log, String text) {
    Awaitility.await(text)
        .until(() -> log.lines(Level.INFO).stream().anyMatch(line -> line.contains(text)));
  }

  private static List<String> commandUris(SimulatedAsterisk asterisk) {
    return asterisk.requests().stream()
        .map(RecordedRequest::uri)
        .filter(uri -> uri.contains("/call"))
        .toList();
  }

  private static void assertExecutedOnceInOrder(List<String> uris) {
    assertThat(uris).hasSize(CALLS * COMMANDS_PER_CALL);
    for (int call = 0; call < CALLS; call++) {
      String prefix = "/ari/channels/call" + call + "-";
      assertThat(uris.stream().filter(uri -> uri.startsWith(prefix)))
          .containsExactlyElementsOf(
              IntStream.range(0, COMMANDS_PER_CALL).mapToObj(n -> prefix + n).toList());
    }
  }
}
