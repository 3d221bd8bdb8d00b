// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests ARI over https and wss, with certificates from a private CA. */
@ExtendWith(KafkaExtension.class)
class SecureAriIT {

  private static final String APP = "encrypted";
  @TempDir private static Path certificates;
  private static CertificateAuthority ca;
  private static CertificateAuthority anotherCa;
  private static CertificateAuthority.IssuedCertificate localhostCertificate;

  @BeforeAll
  static void issueCertificates() {
    ca = CertificateAuthority.create(certificates.resolve("ca"));
    anotherCa = CertificateAuthority.create(certificates.resolve("another-ca"));
    localhostCertificate = ca.forLocalhost();
  }

  @Test
  void handlesCallOverTls(KafkaBroker kafka) {
    handlesCallOverTls("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void handlesCallOverTlsOnAsterisk16(KafkaBroker kafka) {
    handlesCallOverTls("bullseye", kafka);
  }

  private void handlesCallOverTls(String suite, KafkaBroker kafka) {
    String callContext = "encrypted-" + suite;
    try (RealAsterisk asterisk = RealAsterisk.startWithTls(suite, localhostCertificate)) {
      ProxySettings settings = settings(asterisk, kafka, ca);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.originateCall("ctx-" + callContext + "~" + APP);
        String channel = controller.event(callContext, "STASIS_START").channelId();
        controller
            .execute(callContext, "POST", "/channels/" + channel + "/answer")
            .assertStatus(204);
        controller.execute(callContext, "DELETE", "/channels/" + channel).assertStatus(204);
        controller.event(callContext, "STASIS_END");
        assertThat(health(proxy, asterisk.tlsUrl())).isEqualTo("UP");
      }
    }
  }

  @Test
  void logsUntrustedAsteriskAndSendsNothing(KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.startWithTls("sid", localhostCertificate);
        CapturedLog log = CapturedLog.asShipped()) {
      ProxySettings settings = settings(asterisk, kafka, anotherCa);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(
            controller.execute("call", "GET", "/asterisk/ping"),
            "its certificate is not signed by a trusted CA",
            "ari.ca-file");
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(log.lines(Level.WARN))
                        .filteredOn(line -> line.contains("TLS connection failed"))
                        .singleElement()
                        .asString()
                        .contains("its certificate is not signed by a trusted CA", "ari.ca-file"));
      }
      assertThat(log.events()).noneMatch(event -> event.getThrowableProxy() != null);
    }
  }

  @Test
  @FullRun("starts Asterisk, and waits for retries of the websocket")
  void connectsOnceTrustedCaIsReplaced(@TempDir Path folder, KafkaBroker kafka) throws IOException {
    Path trusted = Files.copy(anotherCa.certificateFile(), folder.resolve("ca.pem"));
    try (RealAsterisk asterisk = RealAsterisk.startWithTls("sid", localhostCertificate)) {
      ProxySettings settings =
          settings(asterisk, kafka, ca).with(Setting.ARI_CA_FILE, trusted.toString());
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(
            controller.execute("call", "GET", "/asterisk/ping"),
            "its certificate is not signed by a trusted CA");
        Files.move(
            Files.copy(ca.certificateFile(), folder.resolve("next")),
            trusted,
            StandardCopyOption.ATOMIC_MOVE);
        controller.awaitApplication();
        asterisk.originateCall("ctx-replaced~" + APP);
        controller.event("replaced", "STASIS_START");
        controller.execute("replaced", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(health(proxy, asterisk.tlsUrl())).isEqualTo("UP");
      }
    }
  }

  @Test
  @FullRun("restarts Asterisk, and waits for retries of the websocket")
  void connectsOnceCertificateIsReplaced(@TempDir Path folder, KafkaBroker kafka)
      throws IOException {
    CertificateAuthority.IssuedCertificate certificate =
        new CertificateAuthority.IssuedCertificate(
            folder.resolve("asterisk.pem"), folder.resolve("asterisk-key.pem"), null);
    copy(ca.expired(), certificate);
    try (RealAsterisk asterisk = RealAsterisk.startWithTls("sid", certificate)) {
      ProxySettings settings = settings(asterisk, kafka, ca);
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(
            controller.execute("call", "GET", "/asterisk/ping"), "its certificate has expired");

        copy(localhostCertificate, certificate);
        asterisk.restart();

        controller.awaitApplication();
        asterisk.originateCall("ctx-replaced~" + APP);
        controller.event("replaced", "STASIS_START");
        assertThat(proxy.isAlive()).isTrue();
      }
    }
  }

  private static void copy(
      CertificateAuthority.IssuedCertificate from, CertificateAuthority.IssuedCertificate to)
      throws IOException {
    Files.copy(from.certificate(), to.certificate(), StandardCopyOption.REPLACE_EXISTING);
    Files.copy(from.key(), to.key(), StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void usesJvmTrustStoreByDefault(KafkaBroker kafka) {
    assertRejected(
        localhostCertificate,
        null,
        kafka,
        "its certificate is not signed by a trusted CA",
        "ari.ca-file");
  }

  @Test
  void rejectsExpiredCertificate(KafkaBroker kafka) {
    assertRejected(ca.expired(), ca, kafka, "its certificate has expired");
  }

  @Test
  void rejectsCertificateOfAnotherHost(KafkaBroker kafka) {
    assertRejected(
        ca.forOtherHost(), ca, kafka, "its certificate does not match the host name", "localhost");
  }

  @Test
  void rejectsPlaintextServer(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, kafka, ca)
              .with(Setting.ARI_URL, asterisk.url().replace("http:", "https:"));
      assertRejected(asterisk, settings, kafka, "the server does not speak TLS");
    }
  }

  @Test
  void sendsNothingBeforeTlsHandshake(KafkaBroker kafka) throws IOException {
    try (ServerSocket silentServer = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
        SimulatedAsterisk unusedAsterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(unusedAsterisk, kafka, ca)
              .with(Setting.ARI_URL, "https://localhost:" + silentServer.getLocalPort() + "/ari")
              .with(Setting.ARI_CONNECT_TIMEOUT, "300ms");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(controller.execute("call", "POST", "/channels/c/answer"), "Read timed out");
        assertThat(proxy.responseCount("unknown")).isZero();
      }
    }
  }

  private void assertRejected(
      CertificateAuthority.IssuedCertificate serverCertificate,
      CertificateAuthority trustedCa,
      KafkaBroker kafka,
      String... reasons) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.builder().tls(serverCertificate).start()) {
      assertRejected(asterisk, settings(asterisk, kafka, trustedCa), kafka, reasons);
    }
  }

  private static void assertRejected(
      SimulatedAsterisk asterisk, ProxySettings settings, KafkaBroker kafka, String... reasons) {
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        Controller controller = new Controller(settings, kafka)) {
      assertNotSent(controller.execute("call", "POST", "/channels/c/answer"), reasons);
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(health(proxy, asterisk.url()))
                      .startsWith("DOWN: wss://localhost:")
                      .contains("TLS connection failed: ")
                      .contains(reasons));
      assertThat(asterisk.totalWebsocketCount()).isZero();
      assertThat(asterisk.requests()).isEmpty();
    }
  }

  private static void assertNotSent(Response response, String... reasons) {
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).contains("Asterisk could not be reached").contains(reasons);
  }

  private static String health(EmbeddedProxy proxy, String url) {
    URI uri = URI.create(url);
    return proxy.health("websocket:wss://localhost:" + uri.getPort() + "/ari/events");
  }

  private static ProxySettings settings(
      RealAsterisk asterisk, KafkaBroker kafka, CertificateAuthority trustedCa) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.ARI_URL, asterisk.tlsUrl())
        .with(Setting.ARI_CA_FILE, trustedCa.certificateFile().toString());
  }

  private static ProxySettings settings(
      SimulatedAsterisk asterisk, KafkaBroker kafka, CertificateAuthority trustedCa) {
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
    return trustedCa == null
        ? settings
        : settings.with(Setting.ARI_CA_FILE, trustedCa.certificateFile().toString());
  }
}
