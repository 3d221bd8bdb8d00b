// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests startup and exit of the proxy with settings from environment variables: as a process if its
 * output or SIGTERM matters, otherwise in this JVM.
 */
@ExtendWith(KafkaExtension.class)
class StartupIT {

  private static final String APP = "started";
  private static final String[] NO_ARGUMENTS = {};

  @TempDir private Path folder;

  private SimulatedAsterisk asterisk;
  private ProxySettings settings;

  @BeforeEach
  void start(KafkaBroker kafka) {
    asterisk = SimulatedAsterisk.start();
    settings = ProxySettings.of(asterisk, APP, kafka);
  }

  @AfterEach
  void close() {
    asterisk.close();
  }

  /** In a locale whose upper-case i is not I. */
  @Test
  void runsWithConfiguredSettingsUntilSigterm(KafkaBroker kafka) throws IOException {
    int port = FreePort.find();
    settings
        .withCamelProperty("user.language", "tr")
        .with(Setting.ARI_URL, asterisk.url() + "/")
        .with(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC, "")
        .with(Setting.COMMANDS_ALLOWED, "GET /**")
        .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
        .with(Setting.MANAGEMENT_JOLOKIA, "true")
        // the log is UTF-8 in spite of it
        .withVariable("LC_ALL", "C");
    Path log = folder.resolve("proxy.log");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log);
        Controller controller = new Controller(settings, kafka)) {
      asterisk.awaitConnected(APP);
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
      controller.event("call", "STASIS_START");

      // routes see values derived from settings in the environment
      controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
      assertThat(controller.awaitUnmapped().type()).isEqualTo("SOMETHING_NEW");
      String rejectedId = controller.send("a cäll", "DELETE", "/channels/42.1");
      controller.response(rejectedId);

      assertThat(proxy.terminate()).as("exit code after SIGTERM").isEqualTo(143);
      assertRejectionHasCallContext(Files.readAllLines(log), rejectedId);
    }
    assertThat(Files.readString(log))
        .contains(
            "JMX available at http://127.0.0.1:"
                + port
                + "/observe/jolokia: every user of this host")
        .doesNotContain("NEVER");
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains(" INFO "))
        .filteredOn(line -> line.contains("State STOPPED: "))
        .singleElement()
        .asString()
        .endsWith("State STOPPED: all events acknowledged, no commands in flight");
  }

  /** Checks the text format; {@link io.retel.ariproxy.logging.LogFormatIT} checks JSON. */
  private static void assertRejectionHasCallContext(List<String> lines, String commandId) {
    assertThat(lines)
        .filteredOn(line -> line.contains("403 for DELETE"))
        .singleElement()
        .asString()
        .matches(
            ".* WARN .* \\[(?=.*callContext=a cäll)(?=.*commandId="
                + commandId
                + ")(?=.*resource=CHANNEL:42\\.1).*]");
    assertThat(lines)
        .filteredOn(line -> line.contains("Connected to"))
        .singleElement()
        .asString()
        .doesNotEndWith("]");
  }

  @ParameterizedTest
  @CsvSource({
    "ari.app, REMOVED, ari.app is not set",
    "ari.url, ftp://here, ari.url must be a URL such as",
    "kafka.brokers, nowhere, kafka.brokers must be host:port",
    "commands.max-concurrency, many, commands.max-concurrency must be an integer from 1 to 1000",
    "kafka.security-protocol, TLS, kafka.security-protocol must be one of PLAINTEXT",
    "ari.ca-file, /no/such/file, ari.ca-file requires an https ari.url"
  })
  void invalidSettingFailsStartup(Setting<?> setting, String value, String expected) {
    settings.with(setting, value.equals("REMOVED") ? "" : value);
    assertStartupFails(expected, setting.environmentVariable());
  }

  @Test
  void missingSecretFileFailsStartup() {
    Path missing = folder.resolve("absent");
    settings.with(Setting.ARI_PASSWORD, "").withSecretFile(Setting.ARI_PASSWORD, missing);
    assertStartupFails(
        "ari.password-file names " + missing + ", which does not exist", "ARI_PASSWORD_FILE");
  }

  @ParameterizedTest
  @CsvSource({"ari.password-file, ARI_PASSWORD", "kafka.ca-file, KAFKA_CA"})
  @FullRun("waits for each of two files for 10 s; SecretsFromFilesTest tests the deadline")
  void fileThatIsNotReadInTimeFailsStartup(String key, String variable) throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    settings
        .with(Setting.KAFKA_SECURITY_PROTOCOL, "SSL")
        .withVariable(variable + "_FILE", pipe.toString());
    if (key.startsWith("ari")) {
      settings.with(Setting.ARI_PASSWORD, "");
    }
    assertStartupFails(
        key + " names " + pipe + ", which is not read within 10 s", variable + "_FILE");
  }

  private void assertStartupFails(String... expectedParts) {
    try (CapturedLog log = new CapturedLog()) {
      assertThat(AriProxy.run(NO_ARGUMENTS, settings.environment()))
          .isEqualTo(AriProxy.EXIT_INVALID_SETTING);
      assertThat(log.proxyEvents())
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getFormattedMessage()).contains(expectedParts);
                assertThat(event.getThrowableProxy()).isNull();
              });
    }
  }

  @Test
  void reportsMisspelledVariableBeforeMissingSetting() throws IOException {
    Path log = folder.resolve("proxy.log");
    settings.with(Setting.KAFKA_COMMANDS_TOPIC, "").withVariable("KAFKA_COMMAND_TOPIC", "hidden");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.EXIT_INVALID_SETTING);
    }
    assertThat(Files.readAllLines(log))
        .hasSize(2)
        .noneMatch(line -> line.contains("hidden"))
        .satisfies(
            lines -> {
              assertThat(lines.get(0))
                  .contains(" WARN ", "KAFKA_COMMAND_TOPIC (KAFKA_COMMANDS_TOPIC?)");
              assertThat(lines.get(1)).contains(" ERROR ", "kafka.commands-topic is not set");
            });
  }

  @Test
  void startupFailureLogsOneLineAfterTimeoutWarning() throws IOException {
    Path log = folder.resolve("proxy.log");
    settings
        .withCamelProperty("camel.component.kafka.compression-codec", "unknown")
        .with(Setting.ARI_RESPONSE_TIMEOUT, "40000ms");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.EXIT_START_FAILED);
    }
    assertThat(Files.readString(log))
        .contains("ari-proxy failed to start")
        .contains("compression.type")
        .doesNotContain("\tat ");
    // a shutdown would not wait for Asterisk's responses
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains(" WARN "))
        .filteredOn(line -> line.contains("ari.response-timeout is 40000 ms"))
        .singleElement()
        .asString()
        .endsWith("Set ari-proxy.shutdown-timeout to 40s or more");
  }

  @Test
  void malformedVariableOfOpenTelemetryFailsStartup() {
    settings.with(Setting.TRACING_OPENTELEMETRY, "true");
    System.setProperty("otel.bsp.schedule.delay", "abc");
    try (CapturedLog log = CapturedLog.asShipped()) {
      assertThat(AriProxy.run(NO_ARGUMENTS, settings.environment()))
          .isEqualTo(AriProxy.EXIT_INVALID_SETTING);
      assertThat(log.lines(Level.ERROR))
          .singleElement()
          .asString()
          .contains("otel.bsp.schedule.delay is rejected by OpenTelemetry's SDK: ");
    } finally {
      System.clearProperty("otel.bsp.schedule.delay");
    }
  }

  @Test
  void occupiedManagementPortFailsStartup() throws IOException {
    try (ServerSocket occupied = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"));
        CapturedLog log = CapturedLog.asShipped()) {
      String port = Integer.toString(occupied.getLocalPort());
      settings.with(Setting.MANAGEMENT_PORT, port);
      assertThat(AriProxy.run(NO_ARGUMENTS, settings.environment()))
          .isEqualTo(AriProxy.EXIT_START_FAILED);
      assertThat(log.proxyEvents()).noneMatch(event -> event.getThrowableProxy() != null);
      assertThat(log.lines(Level.ERROR))
          .filteredOn(line -> line.contains("ari-proxy failed to start"))
          .singleElement()
          .asString()
          .contains("ari-proxy failed to start: management.port " + port);
    }
  }

  @Test
  void invalidRouteFailsStartup() throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.edit("publish.camel.yaml", yaml -> yaml.replace("ref: limitInFlight", "ref: nobody"));
    try (CapturedLog log = CapturedLog.asShipped()) {
      assertThat(AriProxy.run(NO_ARGUMENTS, settings.environment()))
          .isEqualTo(AriProxy.EXIT_INVALID_SETTING);
      assertThat(log.lines(Level.ERROR))
          .filteredOn(line -> line.contains("ari-proxy failed to start"))
          .singleElement()
          .asString()
          .contains("route: publish", "Correct it, or move it out of the folder")
          .contains("nobody");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'', is empty",
    "'# to be written', Unable to parse resource",
    "'- route: [', while parsing",
    "'- rout: 1', Unknown node id: rout"
  })
  void malformedRouteFileFailsStartupPermanently(String content, String reason) throws IOException {
    copyRoutes().write("events.camel.yaml", content);
    assertStartupFailsPermanently(reason);
  }

  /** Aliases of aliases would otherwise expand to billions of elements. */
  @Test
  void yamlBombFailsStartupPermanently() throws IOException {
    StringBuilder bomb = new StringBuilder("- &a0 [x, x]\n");
    for (int level = 1; level < 60; level++) {
      bomb.append("- &a%d [*a%d, *a%d]\n".formatted(level, level - 1, level - 1));
    }
    copyRoutes().write("events.camel.yaml", bomb.toString());
    assertStartupFailsPermanently("aliases");
  }

  @Test
  void danglingSymlinkFailsStartupPermanently() throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.delete("events.camel.yaml");
    Files.createSymbolicLink(routes.path().resolve("events.camel.yaml"), folder.resolve("nowhere"));
    assertStartupFailsPermanently("cannot be read");
  }

  private void assertStartupFailsPermanently(String reason) {
    try (CapturedLog log = CapturedLog.asShipped()) {
      assertThat(AriProxy.run(NO_ARGUMENTS, settings.environment()))
          .isEqualTo(AriProxy.EXIT_INVALID_SETTING);
      assertRouteFileReported(log.lines(Level.ERROR), reason);
    }
  }

  private static void assertRouteFileReported(List<String> errors, String reason) {
    assertThat(errors)
        .singleElement()
        .asString()
        .contains("events.camel.yaml")
        .contains(reason)
        .contains("Correct it, or move it out of the folder");
  }

  @Test
  void routeFileFailureIsNotLoggedAsSigterm() throws IOException {
    Path log = folder.resolve("proxy.log");
    copyRoutes().write("events.camel.yaml", "- rout: 1");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.EXIT_INVALID_SETTING);
    }
    assertThat(Files.readString(log)).doesNotContain("SIGTERM");
    assertRouteFileReported(
        Files.readAllLines(log).stream().filter(line -> line.contains(" ERROR ")).toList(),
        "Unknown node id: rout");
  }

  @ParameterizedTest
  @ValueSource(strings = {"commands", "events", "execute-command", "publish"})
  void missingRequiredRouteFailsStartupPermanently(String route) throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.delete(route + ".camel.yaml");
    assertRequiredRouteReported(route, "is missing in " + file(routes, route));
  }

  @Test
  void renamedRequiredRouteFailsStartupPermanently() throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.edit("publish.camel.yaml", yaml -> yaml.replace("id: publish\n", "id: publishing\n"));
    assertRequiredRouteReported("publish", "is missing in " + file(routes, "publish"));
  }

  @Test
  void excludedRequiredRouteFailsStartupPermanently() throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.edit(
        "execute-command.camel.yaml",
        yaml ->
            yaml.replace(
                "    id: execute-command\n",
                "    id: execute-command\n    precondition: \"'{{kafka.generic-commands-topic}}' != ''\"\n"));
    assertRequiredRouteReported(
        "execute-command", "is missing in " + file(routes, "execute-command"));
  }

  @Test
  void requiredRouteThatNeverStartsFailsStartupPermanently() throws IOException {
    RoutesDirectory routes = copyRoutes();
    routes.edit(
        "publish.camel.yaml",
        yaml -> yaml.replace("    id: publish\n", "    id: publish\n    autoStartup: \"false\"\n"));
    assertRequiredRouteReported(
        "publish",
        "never starts, since it has autoStartup: false and no routePolicy in "
            + file(routes, "publish"));
  }

  private static Path file(RoutesDirectory routes, String route) {
    return routes.path().resolve(route + ".camel.yaml");
  }

  private void assertRequiredRouteReported(String route, String problem) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
      assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.EXIT_INVALID_SETTING);
    }
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains(" ERROR ") || line.contains(" WARN "))
        .singleElement()
        .asString()
        .endsWith("Required route " + route + " " + problem + "; restore the shipped file");
    assertThat(asterisk.requestCount("GET", "/events")).as("websockets").isZero();
  }

  @Test
  void commandRunsAgainAfterForcedStop(KafkaBroker kafka) {
    asterisk.faults().holdResponses(request -> request.path().endsWith("/held"));
    settings.with(Setting.SHUTDOWN_TIMEOUT, "1s");
    try (CapturedLog log = new CapturedLog();
        Controller controller = new Controller(settings, kafka)) {
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        controller.send("call", "GET", "/channels/held");
        awaitHeldRequests(1);
      }
      assertThat(log.events())
          .extracting(event -> event.getLevel() + " " + event.getFormattedMessage())
          .filteredOn(line -> line.contains("State STOPPED"))
          .singleElement()
          .asString()
          .startsWith("WARN ")
          .contains("State STOPPED: commands without a RESPONSE are consumed again");
      try (EmbeddedProxy nextProxy = EmbeddedProxy.start(settings)) {
        awaitHeldRequests(2);
      }
    }
  }

  private void awaitHeldRequests(int times) {
    Awaitility.await("executions of the command: " + times)
        .until(() -> asterisk.requestCount("GET", "/channels/held") == times);
  }

  /** Copies the routes and configures the proxy to run the copy. */
  private RoutesDirectory copyRoutes() throws IOException {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    settings.with(Setting.ROUTES_DIRECTORY, routes.path().toString());
    return routes;
  }
}
