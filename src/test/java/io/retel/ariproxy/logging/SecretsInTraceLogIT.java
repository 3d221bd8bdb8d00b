// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log at TRACE, with the shipped levels of drivers. */
@FullRun("writes megabytes of log")
class SecretsInTraceLogIT {

  private static final String APP = "secrets";

  @Test
  void traceLogHasNoPassword(@TempDir Path folder) throws IOException {
    CertificateAuthority ca = CertificateAuthority.create(folder.resolve("ca"));
    Path log = folder.resolve("proxy.log");
    try (SecureKafkaBroker kafka =
            SecureKafkaBroker.launch(ca.forLocalhost(), ca.certificateFile());
        SimulatedAsterisk asterisk =
            SimulatedAsterisk.builder().user("ari-user", "ARI-s3cret-passw0rd").start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka.plaintextBroker())
              .with(Setting.KAFKA_BROKERS, kafka.address("SASL_SSL"))
              .with(Setting.KAFKA_SECURITY_PROTOCOL, "SASL_SSL")
              .with(Setting.KAFKA_CA_FILE, ca.certificateFile().toString())
              .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
              .with(Setting.KAFKA_PASSWORD, SecureKafkaBroker.PASSWORD)
              .with(Setting.LOGGING_LEVEL, "TRACE");
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          Controller controller = new Controller(settings, kafka.plaintextBroker())) {
        asterisk.awaitConnected(APP);
        String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call")).id();
        controller.event("call", "STASIS_START");
        controller.execute("call", "GET", "/channels/" + channel).assertStatus(200);
        asterisk.dropConnections();
        controller.event("call", "ARI_CONNECTION_RESTORED");
        assertThat(proxy.terminate()).isEqualTo(143);
      }
      String text = Files.readString(log);
      String login = asterisk.username() + ":" + asterisk.password();
      assertThat(text).contains(" TRACE ").hasSizeGreaterThan(100_000);
      assertThat(text.contains(asterisk.password())).as("ARI's password").isFalse();
      assertThat(
              text.contains(
                  Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8))))
          .as("ARI's login")
          .isFalse();
      assertThat(text.contains(SecureKafkaBroker.PASSWORD)).as("Kafka's password").isFalse();
    }
  }
}
