// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests a broker that requires clients to log in again while they are connected. */
@FullRun("logs in again every second, under load; SecureKafkaIT rejects logins without load")
class SaslReauthenticationIT {

  private static final String APP = "reauthentication";
  private static final Duration MAX_REAUTHENTICATION = Duration.ofSeconds(1);

  @TempDir private static Path certificates;
  @AutoClose private static SecureKafkaBroker kafka;

  @BeforeAll
  static void launchBroker() {
    CertificateAuthority ca = CertificateAuthority.create(certificates);
    kafka =
        SecureKafkaBroker.launch(
            ca.forLocalhost(),
            ca.certificateFile(),
            Map.of("connections.max.reauth.ms", Long.toString(MAX_REAUTHENTICATION.toMillis())));
  }

  @Test
  void losesNothingWhileClientsLogInAgain() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, 10);
        List<String> commands = new ArrayList<>();
        long start = System.nanoTime();
        while (System.nanoTime() - start < MAX_REAUTHENTICATION.multipliedBy(4).toNanos()) {
          commands.add(controller.send("call-" + commands.size() % 7, "GET", "/asterisk/ping"));
        }
        commands.forEach(id -> controller.response(id).assertStatus(200));
        controller.assertPublishedOnceInOrder(flood);
        assertThat(asterisk.requestCounts()).containsEntry("GET /asterisk/ping", commands.size());
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(proxy.health("kafka")).isEqualTo("UP");
        assertThat(asterisk.totalWebsocketCount()).isOne();
      }
    }
  }

  @Test
  void losesNothingWhileReauthenticationIsRejected() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        asterisk.awaitConnected(APP);
        Flood flood = asterisk.flood(APP, 200, 10);
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);

        kafka.setPassword("another");
        Awaitility.await().until(() -> proxy.health("kafka").startsWith("DOWN: "));
        String command = controller.send("call", "GET", "/asterisk/ping");
        kafka.setPassword(SecureKafkaBroker.PASSWORD);

        controller.response(command).assertStatus(200);
        controller.assertPublishedOnceInOrder(flood);
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        Awaitility.await().until(() -> proxy.health("kafka").equals("UP"));
        assertThat(asterisk.totalWebsocketCount()).isOne();
      }
    } finally {
      kafka.setPassword(SecureKafkaBroker.PASSWORD);
    }
  }

  private static ProxySettings settings(SimulatedAsterisk asterisk) {
    return ProxySettings.of(asterisk, APP, kafka.plaintextBroker())
        .with(Setting.KAFKA_SECURITY_PROTOCOL, "SASL_PLAINTEXT")
        .with(Setting.KAFKA_BROKERS, kafka.address("SASL_PLAINTEXT"))
        .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
        .with(Setting.KAFKA_PASSWORD, SecureKafkaBroker.PASSWORD);
  }
}
