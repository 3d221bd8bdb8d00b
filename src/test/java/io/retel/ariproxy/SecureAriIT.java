package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.settings.Setting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ARI over https and wss, with certificates of a private CA. */
@ExtendWith(KafkaExtension.class)
class SecureAriIT {

  private static final String APP = "encrypted";
  @TempDir private static Path certificates;
  private static CertificateAuthority ca;
  private static CertificateAuthority anotherCa;
  private static CertificateAuthority.Issued localhost;

  @TempDir private Path folder;

  @BeforeAll
  static void issue() {
    ca = CertificateAuthority.in(certificates.resolve("ca"));
    anotherCa = CertificateAuthority.in(certificates.resolve("another-ca"));
    localhost = ca.forLocalhost();
  }

  @ParameterizedTest
  @ValueSource(strings = {"sid", "bullseye"})
  void aCallGoesThroughOnARealAsterisk(String suite, KafkaBroker kafka) {
    String call = "encrypted-" + suite;
    try (RealAsterisk asterisk = RealAsterisk.startWithTls(suite, localhost)) {
      ProxySettings settings = settings(asterisk, kafka, ca);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.awaitApplication();
        asterisk.call("ctx-" + call + "~" + APP);
        String channel =
            controller
                .event(call, "STASIS_START", payload -> true)
                .json()
                .at("/payload/channel/id")
                .asText();
        assertThat(status(controller.ask(call, "POST", "/channels/" + channel + "/answer")))
            .isEqualTo(204);
        assertThat(status(controller.ask(call, "DELETE", "/channels/" + channel))).isEqualTo(204);
        controller.event(call, "STASIS_END", payload -> true);
        assertThat(health(proxy, asterisk.tlsUrl())).isEqualTo("UP");
      }
    }
  }

  @Test
  void aRealAsteriskOfAnotherCaIsSaidInALineAndNothingIsSentToIt(KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    try (RealAsterisk asterisk = RealAsterisk.startWithTls("sid", localhost)) {
      ProxySettings settings = settings(asterisk, kafka, anotherCa);
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(
            controller.ask("call", "GET", "/asterisk/ping"),
            "its certificate comes from no CA that is trusted",
            "ari.ca-file");
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(Files.readAllLines(log))
                        .filteredOn(line -> line.contains("no TLS connection can be made"))
                        .singleElement()
                        .asString()
                        .contains(
                            "WARN",
                            "its certificate comes from no CA that is trusted",
                            "ari.ca-file"));
        assertThat(proxy.terminate()).isEqualTo(143);
      }
    }
    assertThat(Files.readAllLines(log)).noneMatch(line -> line.startsWith("\tat "));
  }

  @Test
  void theJvmsTrustCountsWhereNoCaIsNamed(KafkaBroker kafka) {
    assertRefused(
        localhost, null, kafka, "its certificate comes from no CA that is trusted", "ari.ca-file");
  }

  @Test
  void aCertificateWhoseTimeIsOverIsRefused(KafkaBroker kafka) {
    assertRefused(ca.expired(), ca, kafka, "its certificate has expired");
  }

  @Test
  void aCertificateOfAnotherHostIsRefused(KafkaBroker kafka) {
    assertRefused(
        ca.forAnotherHost(), ca, kafka, "its certificate is not the one of that host", "localhost");
  }

  @Test
  void aServerThatSpeaksNoTlsIsRefused(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(asterisk, kafka, ca)
              .with(Setting.ARI_URL, asterisk.url().replace("http:", "https:"));
      assertRefused(asterisk, settings, kafka, "the server does not speak TLS");
    }
  }

  @Test
  void aServerThatHangsUpOrIsSilentBeforeTlsIsThereGetsNothing(KafkaBroker kafka)
      throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 1_000, InetAddress.getLoopbackAddress());
        SimulatedAsterisk nobody = SimulatedAsterisk.start()) {
      ProxySettings settings =
          settings(nobody, kafka, ca)
              .with(Setting.ARI_URL, "https://localhost:" + silent.getLocalPort() + "/ari")
              .with(Setting.ARI_CONNECT_TIMEOUT, "300");
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        assertNotSent(controller.ask("call", "POST", "/channels/c/answer"), "Read timed out");
        assertThat(proxy.responses("unknown")).isZero();
      }
    }
  }

  private void assertRefused(
      CertificateAuthority.Issued server,
      CertificateAuthority trusted,
      KafkaBroker kafka,
      String... why) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.builder().tls(server).start()) {
      assertRefused(asterisk, settings(asterisk, kafka, trusted), kafka, why);
    }
  }

  private static void assertRefused(
      SimulatedAsterisk asterisk, ProxySettings settings, KafkaBroker kafka, String... why) {
    try (RunningProxy proxy = RunningProxy.start(settings);
        Controller controller = new Controller(settings, kafka)) {
      assertNotSent(controller.ask("call", "POST", "/channels/c/answer"), why);
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(health(proxy, asterisk.url()))
                      .startsWith("DOWN: wss://localhost:")
                      .contains("no TLS connection can be made: ")
                      .contains(why));
      assertThat(asterisk.websocketsTotal()).isZero();
      assertThat(asterisk.requests()).isEmpty();
    }
  }

  private static void assertNotSent(JsonNode payload, String... why) {
    assertThat(status(payload)).isEqualTo(503);
    assertThat(payload.at("/body/outcome").asText()).isEqualTo("not_sent");
    assertThat(payload.toString()).contains("Asterisk could not be reached").contains(why);
  }

  private static int status(JsonNode payload) {
    return payload.path("status_code").asInt();
  }

  private static String health(RunningProxy proxy, String url) {
    URI uri = URI.create(url);
    return proxy.health("websocket:wss://localhost:" + uri.getPort() + "/ari/events");
  }

  private static ProxySettings settings(
      RealAsterisk asterisk, KafkaBroker kafka, CertificateAuthority trusted) {
    return ProxySettings.of(asterisk, APP, kafka)
        .with(Setting.ARI_URL, asterisk.tlsUrl())
        .with(Setting.ARI_CA_FILE, trusted.file().toString());
  }

  private static ProxySettings settings(
      SimulatedAsterisk asterisk, KafkaBroker kafka, CertificateAuthority trusted) {
    ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
    return trusted == null
        ? settings
        : settings.with(Setting.ARI_CA_FILE, trusted.file().toString());
  }
}
