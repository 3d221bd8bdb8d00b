package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A real broker that encrypts and wants to know who comes. */
class SecureKafkaIT {

  private static final String APP = "secured";
  private static final String WRONG = "wr0ng-passw0rd";
  private static final String[] WHY_A_PASSWORD_IS_WRONG = {
    "invalid credentials with SASL mechanism SCRAM-SHA-512", "kafka.username"
  };
  @TempDir private static Path certificates;
  private static CertificateAuthority ca;
  private static CertificateAuthority anotherCa;
  @AutoClose private static SecureKafkaBroker kafka;

  @TempDir private Path folder;

  @BeforeAll
  static void launch() {
    ca = CertificateAuthority.in(certificates.resolve("ca"));
    anotherCa = CertificateAuthority.in(certificates.resolve("another-ca"));
    kafka = SecureKafkaBroker.launch(ca.forLocalhost(), ca.file());
  }

  @ParameterizedTest
  @CsvSource({
    "SASL_SSL, SCRAM-SHA-512",
    "SASL_SSL, SCRAM-SHA-256",
    "SASL_SSL, PLAIN",
    "SASL_PLAINTEXT, SCRAM-SHA-512"
  })
  void aCallGoesThroughWithALogin(String protocol, String mechanism) throws IOException {
    Path password =
        Files.writeString(folder.resolve("password"), SecureKafkaBroker.PASSWORD + "\n");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, protocol)
              .with(Setting.KAFKA_SASL_MECHANISM, mechanism)
              .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
              .withFile(Setting.KAFKA_PASSWORD, password);
      if (protocol.equals("SASL_SSL")) {
        settings.with(Setting.KAFKA_CA_FILE, ca.file().toString());
      }
      assertThatACallGoesThrough(asterisk, settings);
    }
  }

  @Test
  void aCallGoesThroughWithAClientsCertificate() {
    CertificateAuthority.Issued client = ca.forClient("the-proxy");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      assertThatACallGoesThrough(
          asterisk,
          settings(asterisk, "SSL")
              .with(Setting.KAFKA_CA_FILE, ca.file().toString())
              .with(Setting.KAFKA_CERTIFICATE_FILE, client.certificate().toString())
              .with(Setting.KAFKA_KEY_FILE, client.key().toString()));
    }
  }

  private static void assertThatACallGoesThrough(
      SimulatedAsterisk asterisk, ProxySettings settings) {
    try (RunningProxy proxy = RunningProxy.start(settings);
        Controller controller = new Controller(settings, kafka.plain())) {
      asterisk.awaitConnected(APP);
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
      String channel =
          controller
              .event("call", "STASIS_START", payload -> true)
              .json()
              .at("/payload/channel/id")
              .asText();
      assertThat(
              controller
                  .ask("call", "POST", "/channels/" + channel + "/answer")
                  .path("status_code")
                  .asInt())
          .isEqualTo(204);
      asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
      controller.awaitUnmapped(record -> true);
      controller.awaitCommitted();
      assertThat(proxy.health("preparation")).isEqualTo("UP");
      assertThat(proxy.health("kafka")).isEqualTo("UP");
      assertThat(proxy.health("call-context-store")).isEqualTo("UP");
    }
  }

  @Test
  void routesOfOnesOwnLogInAsWell() throws IOException {
    RoutesFolder routes = RoutesFolder.copyInto(Files.createDirectory(folder.resolve("routes")));
    Files.writeString(
        routes.path().resolve("copies.camel.yaml"),
        """
        - route:
            id: copies
            from:
              uri: kafka:{{kafka.events-and-responses-topic}}
              parameters:
                brokers: "{{kafka.brokers}}"
                groupId: copies
                autoOffsetReset: earliest
              steps:
                - to:
                    uri: kafka:{{kafka.events-and-responses-topic}}-copies
                    parameters:
                      brokers: "{{kafka.brokers}}"
        """);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD)
              .with(Setting.ROUTES, routes.path().toString());
      kafka.plain().createTopic(settings.eventsTopic() + "-copies", 1);
      try (RunningProxy proxy = RunningProxy.start(settings);
          TopicReader copies =
              TopicReader.of(
                  kafka.plain().bootstrapServers(), settings.eventsTopic() + "-copies")) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        copies.await(record -> "call".equals(record.key()));
      }
    }
  }

  @Test
  void aWrongPasswordIsSaidInALineAndNothingIsTaken() {
    assertRefused(
        asterisk -> withLogin(settings(asterisk, "SASL_SSL"), WRONG), WHY_A_PASSWORD_IS_WRONG);
  }

  @Test
  void asAProcessItSaysSoAndEndsAtSigterm() throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = withLogin(settings(asterisk, "SASL_SSL"), WRONG);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        Awaitility.await()
            .untilAsserted(() -> assertSaysWhy(Files.readAllLines(log), WHY_A_PASSWORD_IS_WRONG));
        assertThat(proxy.terminate()).isEqualTo(143);
      }
      assertThat(asterisk.websocketsTotal()).isZero();
    }
    assertThat(Files.readAllLines(log))
        .noneMatch(line -> line.contains(WRONG))
        .noneMatch(line -> line.startsWith("\tat "));
  }

  @Test
  void aServerOfAnotherCaIsSaidInALineAndNothingIsTaken() {
    assertRefused(
        asterisk ->
            withLogin(settings(asterisk, "SASL_SSL"), WRONG)
                .with(Setting.KAFKA_CA_FILE, anotherCa.file().toString()),
        "its certificate comes from no CA that is trusted",
        "kafka.ca-file");
  }

  @Test
  void aClientsCertificateThatIsMissingIsSaidInALineAndNothingIsTaken() {
    assertRefused(
        asterisk -> settings(asterisk, "SSL").with(Setting.KAFKA_CA_FILE, ca.file().toString()),
        "kafka.certificate-file");
  }

  @Test
  void aClientsCertificateOfAnotherCaIsSaidInALineAndNothingIsTaken() {
    CertificateAuthority.Issued stranger = anotherCa.forClient("stranger");
    assertRefused(
        asterisk ->
            settings(asterisk, "SSL")
                .with(Setting.KAFKA_CA_FILE, ca.file().toString())
                .with(Setting.KAFKA_CERTIFICATE_FILE, stranger.certificate().toString())
                .with(Setting.KAFKA_KEY_FILE, stranger.key().toString()),
        "kafka.certificate-file");
  }

  @Test
  void aProtocolThatTheListenerDoesNotSpeakIsSaidInALineAndNothingIsTaken() {
    assertRefused(
        asterisk ->
            settings(asterisk, "PLAINTEXT").with(Setting.KAFKA_BROKERS, kafka.address("SSL")),
        "kafka.security-protocol");
  }

  @Test
  void aLoginThatKafkaTakesLaterIsTriedUntilThen() {
    kafka.setPassword("another");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plain())) {
        Awaitility.await().until(() -> proxy.health("preparation").contains("invalid credentials"));

        kafka.setPassword(SecureKafkaBroker.PASSWORD);

        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START", payload -> true);
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        controller.awaitUnmapped(record -> true);
        assertThat(controller.ask("call", "GET", "/asterisk/ping").path("status_code").asInt())
            .isEqualTo(200);
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  @Test
  void nothingIsLostWhileKafkaRefusesTheLoginOfOneThatRuns() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plain())) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START", payload -> true);

        kafka.setPassword("another");
        kafka.plain().stop();
        kafka.plain().start();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "meanwhile"));
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        String command = controller.send("meanwhile", "GET", "/asterisk/ping");
        Awaitility.await().until(() -> proxy.health("kafka").startsWith("DOWN: "));
        assertThat(controller.events()).noneMatch(event -> "meanwhile".equals(event.key()));

        kafka.setPassword(SecureKafkaBroker.PASSWORD);

        controller.event("meanwhile", "STASIS_START", payload -> true);
        controller.awaitUnmapped(record -> true);
        assertThat(controller.response(command).json().at("/payload/status_code").asInt())
            .isEqualTo(200);
        assertThat(proxy.count("ari-proxy.events.lost")).isZero();
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  @Test
  void everyRefusalOfTheLoginIsSaidOnceAndThatItIsTakenAgainOnAQuietTopicAsWell() {
    String no = "No commands are read from [";
    String yes = "Kafka takes the login again, commands are read from [";
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (RunningProxy proxy = RunningProxy.start(settings);
          CapturedLog log = new CapturedLog()) {
        asterisk.awaitConnected(APP);
        awaitRead(proxy);
        for (int refusals = 1; refusals <= 2; refusals++) {
          kafka.setPassword("another");
          kafka.plain().stop();
          kafka.plain().start();
          awaitLines(log, Level.WARN, no, refusals);
          kafka.setPassword(SecureKafkaBroker.PASSWORD);
          awaitLines(log, Level.INFO, yes, refusals);
          awaitRead(proxy);
        }
        assertThat(lines(log, Level.WARN, no)).hasSize(2);
        assertThat(lines(log, Level.INFO, yes)).hasSize(2);
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  private static void awaitRead(RunningProxy proxy) {
    Awaitility.await("commands are read")
        .until(() -> !Double.isNaN(proxy.gauge("ari-proxy.commands.lag")));
  }

  private static void awaitLines(CapturedLog log, Level level, String beginning, int count) {
    Awaitility.await(count + " x " + beginning)
        .until(() -> lines(log, level, beginning).size() == count);
  }

  private static List<String> lines(CapturedLog log, Level level, String part) {
    return log.lines(level).stream().filter(line -> line.contains(part)).toList();
  }

  private interface SettingsFor {
    ProxySettings of(SimulatedAsterisk asterisk);
  }

  private static void assertRefused(SettingsFor settingsFor, String... why) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = CapturedLog.asShipped()) {
      try (RunningProxy proxy = RunningProxy.start(settingsFor.of(asterisk))) {
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(proxy.health("preparation"))
                        .startsWith("DOWN: Kafka at localhost:")
                        .contains(why)
                        .doesNotContain(WRONG));
        Awaitility.await().untilAsserted(() -> assertSaysWhy(log.lines(Level.WARN), why));
      }
      assertThat(asterisk.websocketsTotal()).isZero();
      assertThat(log.events())
          .noneMatch(event -> event.getFormattedMessage().contains(WRONG))
          .noneMatch(event -> event.getThrowableProxy() != null);
    }
  }

  private static void assertSaysWhy(List<String> lines, String... why) {
    assertThat(lines)
        .anySatisfy(
            line ->
                assertThat(line)
                    .contains("No event and no command is taken yet: Kafka at ")
                    .contains(why));
  }

  private static ProxySettings settings(SimulatedAsterisk asterisk, String protocol) {
    return ProxySettings.of(asterisk, APP, kafka.plain())
        .with(Setting.KAFKA_SECURITY_PROTOCOL, protocol)
        .with(Setting.KAFKA_BROKERS, kafka.address(protocol));
  }

  private static ProxySettings withLogin(ProxySettings settings, String password) {
    return settings
        .with(Setting.KAFKA_CA_FILE, ca.file().toString())
        .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
        .with(Setting.KAFKA_PASSWORD, password);
  }
}
