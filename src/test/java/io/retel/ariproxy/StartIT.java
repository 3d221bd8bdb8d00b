package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.FreePort;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The proxy as a process with its settings as environment variables. */
@ExtendWith(KafkaExtension.class)
class StartIT {

  private static final String APP = "started";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "ARI_APP, ARI_APP, ari.app is not set",
    "ARI_URL, ftp://here, ari.url must be like",
    "KAFKA_BROKERS, nowhere, kafka.brokers must be host:port",
    "COMMANDS_AT_ONCE, many, commands.at-once must be a whole number",
    "KAFKA_SECURITY_PROTOCOL, TLS, kafka.security-protocol must be PLAINTEXT",
    "ARI_CA_FILE, /no/such/file, ari.ca-file is for an ari.url that begins with https"
  })
  void aSettingThatIsMissingOrMalformedStopsTheStartWithOneLineThatNamesIt(
      Setting setting, String value, String expected, KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(setting, value.equals(setting.name()) ? "" : value);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.INVALID_SETTING);
      }
    }
    assertThat(Files.readAllLines(log))
        .singleElement()
        .asString()
        .contains(expected)
        .contains(setting.environmentVariable());
  }

  @Test
  void aVariableThatIsNearlyASettingIsNamedBeforeWhatIsMissing(KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_COMMANDS_TOPIC, "")
              .withVariable("KAFKA_COMMAND_TOPIC", "hidden");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.INVALID_SETTING);
      }
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
  void aSecretWhoseFileIsAbsentStopsTheStartWithOneLineThatNamesIt(KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    Path absent = folder.resolve("absent");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ARI_PASSWORD, "")
              .withFile(Setting.ARI_PASSWORD, absent);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.INVALID_SETTING);
      }
    }
    assertThat(Files.readAllLines(log))
        .singleElement()
        .asString()
        .contains("ari.password-file names " + absent + ", which is not there")
        .contains("ARI_PASSWORD_FILE");
  }

  @Test
  void aStartThatFailsSaysSoInOneLine(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_BROKERS, "no-such-host.invalid:9092");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.START_FAILED);
      }
    }
    assertThat(Files.readString(log))
        .contains("ari-proxy does not start")
        .contains("bootstrap.servers")
        .doesNotContain("\tat ");
  }

  @Test
  void aStopThatDoesNotWaitForAsterisksAnswersIsToldInOneLine(KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ARI_RESPONSE_TIMEOUT, "40000")
              // so that it ends by itself
              .with(Setting.KAFKA_BROKERS, "no-such-host.invalid:9092");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        proxy.awaitEnd();
      }
    }
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains(" WARN "))
        .filteredOn(line -> line.contains("ari.response-timeout is 40000 ms"))
        .singleElement()
        .asString()
        .endsWith("Set ari-proxy.shutdown-timeout to 40 or more");
  }

  @Test
  void aManagementPortThatIsTakenStopsTheStartWithOneLineThatNamesIt(KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      String port = Integer.toString(taken.getLocalPort());
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.MANAGEMENT_PORT, port);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.START_FAILED);
      }
      assertThat(Files.readString(log)).doesNotContain("\tat ");
      assertThat(Files.readAllLines(log))
          .filteredOn(line -> line.contains("ari-proxy does not start"))
          .singleElement()
          .asString()
          .contains("ari-proxy does not start: management.port " + port);
    }
  }

  @Test
  void aBrokenRouteStopsTheStartWithOneLineThatNamesIt(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    routes.edit("publish.camel.yaml", yaml -> yaml.replace("ref: boundInFlight", "ref: nobody"));
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.START_FAILED);
      }
    }
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains("ari-proxy does not start"))
        .singleElement()
        .asString()
        .contains("route: publish")
        .contains("nobody");
  }

  @ParameterizedTest
  @CsvSource({
    "'', is empty",
    "'# to be written', Unable to parse resource",
    "'- route: [', while parsing",
    "'- rout: 1', Unknown node id: rout"
  })
  void aRouteFileThatCannotBeReadStopsTheStartForGoodWithOneLineThatNamesIt(
      String content, String why, KafkaBroker kafka) throws IOException {
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    routes.write("events.camel.yaml", content);
    assertStopsForGoodOf(routes, why, kafka);
  }

  @Test
  void aRouteFileThatIsALinkToNowhereStopsTheStartForGood(KafkaBroker kafka) throws IOException {
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    routes.delete("events.camel.yaml");
    Files.createSymbolicLink(routes.path().resolve("events.camel.yaml"), folder.resolve("nowhere"));
    assertStopsForGoodOf(routes, "cannot be read", kafka);
  }

  private void assertStopsForGoodOf(RoutesFolder routes, String why, KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        assertThat(proxy.awaitEnd()).isEqualTo(AriProxy.INVALID_SETTING);
      }
    }
    assertThat(Files.readString(log)).doesNotContain("SIGTERM");
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.contains(" ERROR "))
        .singleElement()
        .asString()
        .contains("events.camel.yaml")
        .contains(why)
        .contains("Correct it, or move it out of the folder");
  }

  @Test
  void aRouteThatIsMissingIsNamed(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    Files.delete(routes.path().resolve("events.camel.yaml"));
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        controller.ask("call", "GET", "/asterisk/ping");
        Awaitility.await()
            .untilAsserted(
                () -> assertThat(Files.readString(log)).contains("There is no route events"));
        proxy.terminate();
      }
    }
  }

  @Test
  void whoCanReachJmxOverHttpIsSaid(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      String port = Integer.toString(FreePort.find());
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.MANAGEMENT_PORT, port)
              .with(Setting.MANAGEMENT_JOLOKIA, "true");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        asterisk.awaitConnected(APP);
        proxy.terminate();
      }
      assertThat(Files.readString(log))
          .contains("JMX is at http://127.0.0.1:" + port + "/observe/jolokia, for all on this host")
          .doesNotContain("NEVER");
    }
  }

  @Test
  void aStopEndsWithWhatBecameOfTheWork(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START", payload -> true);
        controller.ask("call", "GET", "/asterisk/ping");
        assertThat(proxy.terminate()).isEqualTo(143);
      }
      assertThat(Files.readAllLines(log))
          .filteredOn(line -> line.contains(" INFO "))
          .filteredOn(line -> line.contains("Stopped: "))
          .singleElement()
          .asString()
          .endsWith("Stopped: all events are acknowledged, no command is under way");
    }
  }

  @Test
  void aStopThatLeavesACommandSaysThatItIsReadAgainAndSoItIs(KafkaBroker kafka) throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      asterisk.faults().holdAnswers(request -> request.path().endsWith("/held"));
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.SHUTDOWN_TIMEOUT, "1");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        controller.send("call", "GET", "/channels/held");
        awaitHeld(asterisk, 1);
        proxy.terminate();
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("Stopped with"))
            .singleElement()
            .asString()
            .contains(" WARN ")
            .contains("Stopped with commands that are not answered: they are read again");
        proxy.start();
        awaitHeld(asterisk, 2);
      }
    }
  }

  private static void awaitHeld(SimulatedAsterisk asterisk, int times) {
    Awaitility.await("the command is carried out, times: " + times)
        .until(() -> asterisk.requestCount("GET", "/channels/held") == times);
  }

  @Test
  void whatFollowsFromASettingInTheEnvironmentIsWhatTheRoutesSee(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ARI_URL, asterisk.url() + "/")
              .with(Setting.KAFKA_UNMAPPED_EVENTS_TOPIC, "");
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);

        assertThat(controller.ask("call", "GET", "/asterisk/ping").path("status_code").asInt())
            .isEqualTo(200);
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        assertThat(controller.awaitUnmapped(record -> true).json().path("type").asText())
            .isEqualTo("SOMETHING_NEW");
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
  }
}
