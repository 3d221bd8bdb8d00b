// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.callcontext.store.CallContextStore;
import io.retel.ariproxy.callcontext.store.KafkaStore;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests a real broker with encryption and authentication. */
class SecureKafkaIT {

  private static final String APP = "secured";
  private static final String WRONG_PASSWORD = "wr0ng-passw0rd";
  private static final String[] WRONG_PASSWORD_REASONS = {
    "invalid credentials with SASL mechanism SCRAM-SHA-512", "kafka.username"
  };
  @TempDir private static Path certificates;
  private static CertificateAuthority ca;
  private static CertificateAuthority anotherCa;
  @AutoClose private static SecureKafkaBroker kafka;

  @TempDir private Path folder;

  @BeforeAll
  static void launchBroker() {
    ca = CertificateAuthority.create(certificates.resolve("ca"));
    anotherCa = CertificateAuthority.create(certificates.resolve("another-ca"));
    kafka = SecureKafkaBroker.launch(ca.forLocalhost(), ca.certificateFile());
  }

  @Test
  void handlesCallWithSasl() throws IOException {
    handlesCallWithSasl("SASL_SSL", "SCRAM-SHA-512");
  }

  @ParameterizedTest
  @FullRun("the same with other mechanisms")
  @CsvSource({"SASL_SSL, SCRAM-SHA-256", "SASL_SSL, PLAIN", "SASL_PLAINTEXT, SCRAM-SHA-512"})
  void handlesCallWithOtherSasl(String protocol, String mechanism) throws IOException {
    handlesCallWithSasl(protocol, mechanism);
  }

  private void handlesCallWithSasl(String protocol, String mechanism) throws IOException {
    Path passwordFile =
        Files.writeString(folder.resolve("password"), SecureKafkaBroker.PASSWORD + "\n");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, protocol)
              .with(Setting.KAFKA_SASL_MECHANISM, mechanism)
              .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
              .withSecretFile(Setting.KAFKA_PASSWORD, passwordFile);
      if (protocol.equals("SASL_SSL")) {
        settings.with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString());
      }
      assertHandlesCall(asterisk, settings);
    }
  }

  @Test
  void handlesCallWithClientCertificate() {
    CertificateAuthority.IssuedCertificate client = ca.forClient("the-proxy");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      assertHandlesCall(
          asterisk,
          settings(asterisk, "SSL")
              .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
              .with(Setting.KAFKA_CERTIFICATE_FILE, client.certificate().toString())
              .with(Setting.KAFKA_KEY_FILE, client.key().toString()));
    }
  }

  private static void assertHandlesCall(SimulatedAsterisk asterisk, ProxySettings settings) {
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, kafka.plaintextBroker())) {
      asterisk.awaitConnected(APP);
      asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
      String channel = controller.event("call", "STASIS_START").channelId();
      controller.execute("call", "POST", "/channels/" + channel + "/answer").assertStatus(204);
      asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
      controller.awaitUnmapped();
      controller.awaitCommitted();
      assertThat(proxy.health("startup")).isEqualTo("UP");
      assertThat(proxy.health("kafka")).isEqualTo("UP");
      assertThat(proxy.health("call-context-store")).isEqualTo("UP");
    }
  }

  @Test
  void customRoutesUseConfiguredLogin() throws IOException {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
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
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString());
      kafka.plaintextBroker().createTopic(settings.eventsTopic() + "-copies", 1);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          TopicReader copies =
              TopicReader.of(
                  kafka.plaintextBroker().bootstrapServers(), settings.eventsTopic() + "-copies")) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        copies.await(record -> "call".equals(record.key()));
      }
    }
  }

  @Test
  void reportsWrongPassword() {
    assertRejected(
        asterisk -> withLogin(settings(asterisk, "SASL_SSL"), WRONG_PASSWORD),
        WRONG_PASSWORD_REASONS);
  }

  @Test
  @FullRun("KafkaStartupIT does so with Camel's options")
  void processReportsWrongPasswordUntilSigterm() throws IOException {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = withLogin(settings(asterisk, "SASL_SSL"), WRONG_PASSWORD);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        Awaitility.await()
            .untilAsserted(
                () -> assertReasonLogged(Files.readAllLines(log), WRONG_PASSWORD_REASONS));
        assertThat(proxy.terminate()).isEqualTo(143);
      }
      assertThat(asterisk.totalWebsocketCount()).isZero();
    }
    assertThat(Files.readAllLines(log))
        .noneMatch(line -> line.contains(WRONG_PASSWORD))
        .noneMatch(line -> line.startsWith("\tat "));
  }

  @Test
  void reportsServerOfAnotherCa() {
    assertRejected(
        asterisk ->
            withLogin(settings(asterisk, "SASL_SSL"), WRONG_PASSWORD)
                .with(Setting.KAFKA_CA_FILE, anotherCa.certificateFile().toString()),
        "its certificate is not signed by a trusted CA",
        "kafka.ca-file");
  }

  @Test
  void reportsMissingClientCertificate() {
    assertRejected(
        asterisk ->
            settings(asterisk, "SSL").with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString()),
        "kafka.certificate-file");
  }

  @Test
  void reportsClientCertificateOfAnotherCa() {
    assertClientRejected(anotherCa.forClient("stranger"));
  }

  @Test
  void reportsExpiredClientCertificate() {
    assertClientRejected(ca.expired());
  }

  private void assertClientRejected(CertificateAuthority.IssuedCertificate client) {
    assertRejected(
        asterisk ->
            settings(asterisk, "SSL")
                .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
                .with(Setting.KAFKA_CERTIFICATE_FILE, client.certificate().toString())
                .with(Setting.KAFKA_KEY_FILE, client.key().toString()),
        "kafka.certificate-file");
  }

  @Test
  @FullRun("starts another broker")
  void reportsExpiredServerCertificate() {
    try (SecureKafkaBroker expired =
        SecureKafkaBroker.launch(anotherCa.expired(), anotherCa.certificateFile())) {
      assertRejected(
          asterisk ->
              withLogin(settings(asterisk, "SASL_SSL"), WRONG_PASSWORD)
                  .with(Setting.KAFKA_BROKERS, expired.address("SASL_SSL"))
                  .with(Setting.KAFKA_CA_FILE, anotherCa.certificateFile().toString()),
          "its certificate has expired");
    }
  }

  @Test
  void reportsProtocolMismatch() {
    assertRejected(
        asterisk ->
            settings(asterisk, "PLAINTEXT").with(Setting.KAFKA_BROKERS, kafka.address("SSL")),
        "requires TLS; set kafka.security-protocol to SSL or SASL_SSL");
  }

  @Test
  void retriesLoginUntilAccepted() {
    kafka.setPassword("another");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        Awaitility.await().until(() -> proxy.health("startup").contains("invalid credentials"));

        kafka.setPassword(SecureKafkaBroker.PASSWORD);

        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START");
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        controller.awaitUnmapped();
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  /** Each file is wrong at first. */
  @Test
  @FullRun("ReloadedFilesTest and KafkaSecurityTest test the parts")
  void connectsOnceFilesAreReplaced() throws IOException {
    CertificateAuthority.IssuedCertificate stranger = anotherCa.forClient("a-stranger");
    CertificateAuthority.IssuedCertificate client = ca.forClient("replaced");
    Path trusted = Files.copy(anotherCa.certificateFile(), folder.resolve("ca.pem"));
    Path certificate = Files.copy(stranger.certificate(), folder.resolve("tls.crt"));
    Path key = Files.copy(stranger.key(), folder.resolve("tls.key"));
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, "SSL")
              .with(Setting.KAFKA_CA_FILE, trusted.toString())
              .with(Setting.KAFKA_CERTIFICATE_FILE, certificate.toString())
              .with(Setting.KAFKA_KEY_FILE, key.toString());
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        Awaitility.await().until(() -> proxy.health("startup").contains("kafka.ca-file"));
        replace(trusted, ca.certificateFile());
        Awaitility.await().until(() -> proxy.health("startup").contains("kafka.certificate-file"));
        replace(key, client.key());
        replace(certificate, client.certificate());
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
        controller.event("call", "STASIS_START");
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      }
    }
  }

  @Test
  @FullRun("stops the broker")
  void losesNothingWhilePasswordIsReplaced() throws IOException {
    Path passwordFile = Files.writeString(folder.resolve("password"), SecureKafkaBroker.PASSWORD);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, "SASL_SSL")
              .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
              .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
              .withSecretFile(Setting.KAFKA_PASSWORD, passwordFile);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START");

        kafka.setPassword("another");
        kafka.plaintextBroker().stop();
        kafka.plaintextBroker().start();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during-replacement"));
        String command = controller.send("during-replacement", "GET", "/asterisk/ping");
        Awaitility.await().until(() -> proxy.health("kafka").startsWith("DOWN: "));
        Files.writeString(passwordFile, "another\n");

        controller.event("during-replacement", "STASIS_START");
        controller.response(command).assertStatus(200);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  private void replace(Path file, Path content) throws IOException {
    Path next = Files.copy(content, folder.resolve("next"));
    Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @Test
  void storeWritesOnceLoginIsAccepted() {
    String topic = "store-login";
    kafka.plaintextBroker().createTopic(topic, 1);
    Map<String, Object> client =
        new HashMap<>(
            KafkaSecurity.of(SecurityProtocol.SASL_PLAINTEXT)
                .withCredentials(
                    "SCRAM-SHA-256",
                    SecureKafkaBroker.USERNAME,
                    new Secret(SecureKafkaBroker.PASSWORD))
                .options());
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, kafka.address("SASL_PLAINTEXT"));
    List<CallContextStore.Change> changes = List.of(new CallContextStore.Change("CHANNEL:1", "a"));
    kafka.setPassword("another");
    try (KafkaStore store = new KafkaStore(() -> client, topic, Duration.ofSeconds(5))) {
      assertThatThrownBy(() -> store.write(changes)).hasStackTraceContaining("invalid credentials");

      kafka.setPassword(SecureKafkaBroker.PASSWORD);

      Awaitility.await().ignoreExceptions().untilAsserted(() -> store.write(changes));
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  @Test
  void losesNothingWhileLoginIsRejected() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        asterisk.awaitConnected(APP);
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START");

        kafka.setPassword("another");
        kafka.plaintextBroker().stop();
        kafka.plaintextBroker().start();
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "during-outage"));
        asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
        String command = controller.send("during-outage", "GET", "/asterisk/ping");
        Awaitility.await().until(() -> proxy.health("kafka").startsWith("DOWN: "));
        assertThat(controller.events()).noneMatch(event -> "during-outage".equals(event.key()));

        kafka.setPassword(SecureKafkaBroker.PASSWORD);

        controller.event("during-outage", "STASIS_START");
        controller.awaitUnmapped();
        controller.response(command).assertStatus(200);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  @Test
  @FullRun("restarts the broker twice")
  void logsEachLoginRejectionAndRecoveryOnce() {
    String rejectedMessage = "Kafka rejected the login, not consuming [";
    String recoveredMessage = "Kafka accepts the login again: consuming [";
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          withLogin(settings(asterisk, "SASL_SSL"), SecureKafkaBroker.PASSWORD);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker());
          CapturedLog log = new CapturedLog()) {
        asterisk.awaitConnected(APP);
        awaitCommandsConsumed(proxy);
        for (int rejections = 1; rejections <= 2; rejections++) {
          kafka.setPassword("another");
          kafka.plaintextBroker().stop();
          kafka.plaintextBroker().start();
          awaitLines(log, Level.WARN, rejectedMessage, rejections);
          kafka.setPassword(SecureKafkaBroker.PASSWORD);
          awaitLines(log, Level.INFO, recoveredMessage, rejections);
          // it has joined the group again, which takes longer than the login
          controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        }
        assertThat(lines(log, Level.WARN, rejectedMessage)).hasSize(2);
        assertThat(lines(log, Level.INFO, recoveredMessage)).hasSize(2);
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  private static void awaitCommandsConsumed(EmbeddedProxy proxy) {
    Awaitility.await("commands consumed")
        .until(() -> !Double.isNaN(proxy.gauge("ari-proxy.commands.lag")));
  }

  private static void awaitLines(CapturedLog log, Level level, String text, int count) {
    Awaitility.await(count + " lines with " + text)
        .until(() -> lines(log, level, text).size() == count);
  }

  private static List<String> lines(CapturedLog log, Level level, String text) {
    return log.lines(level).stream().filter(line -> line.contains(text)).toList();
  }

  private interface SettingsFactory {
    ProxySettings create(SimulatedAsterisk asterisk);
  }

  private static void assertRejected(SettingsFactory settingsFactory, String... reasons) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = CapturedLog.asShipped()) {
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settingsFactory.create(asterisk))) {
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(proxy.health("startup"))
                        .startsWith("DOWN: Kafka at localhost:")
                        .contains(reasons)
                        .doesNotContain(WRONG_PASSWORD));
        Awaitility.await().untilAsserted(() -> assertReasonLogged(log.lines(Level.WARN), reasons));
      }
      assertThat(asterisk.totalWebsocketCount()).isZero();
      assertThat(log.events())
          .noneMatch(event -> event.getFormattedMessage().contains(WRONG_PASSWORD))
          .noneMatch(event -> event.getThrowableProxy() != null);
    }
  }

  private static void assertReasonLogged(List<String> lines, String... reasons) {
    assertThat(lines)
        .anySatisfy(
            line -> assertThat(line).contains("Not consuming yet: Kafka at ").contains(reasons));
  }

  private static ProxySettings settings(SimulatedAsterisk asterisk, String protocol) {
    return ProxySettings.of(asterisk, APP, kafka.plaintextBroker())
        .with(Setting.KAFKA_SECURITY_PROTOCOL, protocol)
        .with(Setting.KAFKA_BROKERS, kafka.address(protocol));
  }

  private static ProxySettings withLogin(ProxySettings settings, String password) {
    return settings
        .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
        .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
        .with(Setting.KAFKA_PASSWORD, password);
  }
}
