// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Secret;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encryption and login options of Kafka clients. */
class KafkaSecurityTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "simple",
        "with \"quotes\"",
        "back\\slash\\",
        "a=b;c",
        "'",
        "tab\tand\u0001more",
        "ünï©ode \uD83D\uDE00",
        "{{x}} ${y}",
        "//no comment",
        "\\n\\101"
      })
  void kafkaParsesCredentialsUnchanged(String text) {
    assertKafkaParses(text);
  }

  @Test
  void kafkaParsesRandomCredentialsUnchanged() {
    Random random = new Random(7);
    for (int i = 0; i < 2_000; i++) {
      StringBuilder text = new StringBuilder("x");
      random.ints(random.nextInt(20), 1, 300).forEach(each -> text.append((char) each));
      assertKafkaParses(text.toString());
    }
  }

  @Test
  void toStringHidesSecrets() {
    KafkaSecurity security =
        KafkaSecurity.of(SecurityProtocol.SASL_SSL)
            .withCredentials("PLAIN", "user", new Secret("not-to-be-seen"));
    assertThat(security.options().toString()).contains("PLAIN").doesNotContain("not-to-be-seen");
    assertThat(security.applyTo(new Properties()).toString()).doesNotContain("not-to-be-seen");
  }

  @Test
  void preservesOtherClientOptions() {
    Properties clientConfig = new Properties();
    clientConfig.put("linger.ms", 5);
    clientConfig.put("security.protocol", "PLAINTEXT");
    assertThat(KafkaSecurity.of(SecurityProtocol.SSL).applyTo(clientConfig))
        .containsOnly(Map.entry("linger.ms", 5), Map.entry("security.protocol", "SSL"));
    assertThat(KafkaSecurity.none().applyTo(clientConfig)).isEqualTo(clientConfig);
  }

  private static void assertKafkaParses(String text) {
    KafkaSecurity security =
        KafkaSecurity.of(SecurityProtocol.SASL_SSL)
            .withCredentials("SCRAM-SHA-512", text, new Secret(text + "!"));
    assertThat(JaasContext.loadClientContext(security.options()).configurationEntries())
        .singleElement()
        .extracting(AppConfigurationEntry::getOptions)
        .isEqualTo(Map.of("username", text, "password", text + "!"));
  }
}
