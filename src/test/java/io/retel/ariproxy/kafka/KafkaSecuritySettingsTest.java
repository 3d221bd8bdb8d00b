// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests valid and invalid combinations of encryption and login settings. */
class KafkaSecuritySettingsTest {

  private static final String PASSWORD = "a-secret";

  @TempDir private static Path folder;
  private static CertificateAuthority ca;
  private static CertificateAuthority.IssuedCertificate client;
  private static CertificateAuthority.IssuedCertificate otherClient;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeAll
  static void issueCertificates() {
    ca = CertificateAuthority.create(folder.resolve("ca"));
    client = ca.forClient("client");
    otherClient = ca.forClient("another");
  }

  @BeforeEach
  void setRequiredSettings() {
    set(Setting.ARI_APP, "app");
    set(Setting.ARI_USERNAME, "user");
    set(Setting.ARI_PASSWORD, PASSWORD);
    set(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, "events");
    set(Setting.KAFKA_COMMANDS_TOPIC, "commands");
    set(Setting.ROUTES_DIRECTORY, folder.toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"SASL_SSL", "SASL_PLAINTEXT", "sasl_ssl"})
  void acceptsSaslLogin(String protocol) {
    login(protocol);
    assertAccepted();
  }

  @Test
  void acceptsCaAndClientCertificate() {
    set(Setting.KAFKA_SECURITY_PROTOCOL, "SSL");
    assertAccepted();
    set(Setting.KAFKA_CA_FILE, ca.certificateFile());
    assertAccepted();
    set(Setting.KAFKA_CERTIFICATE_FILE, client.certificate());
    set(Setting.KAFKA_KEY_FILE, client.key());
    assertAccepted();
  }

  @Test
  void acceptsCertificateAndKeyInOneFile() throws IOException {
    Path both = folder.resolve("both.pem");
    Files.writeString(
        both, Files.readString(client.key()) + Files.readString(client.certificate()));
    set(Setting.KAFKA_SECURITY_PROTOCOL, "SSL");
    set(Setting.KAFKA_CERTIFICATE_FILE, both);
    set(Setting.KAFKA_KEY_FILE, both);
    assertAccepted();
  }

  @Test
  void nameInAclsFollowsCertificate() throws IOException {
    Path file = Files.copy(client.certificate(), folder.resolve("replaced.pem"));
    set(Setting.KAFKA_CERTIFICATE_FILE, file);
    Settings settings = Settings.read(folder.resolve("none"), environment);
    KafkaPermissions permissions =
        new KafkaPermissions(
            () -> KafkaSecuritySettings.principal(settings), List.of(), List.of(), List.of());
    assertThat(permissions.sentence(List.of("Read"))).contains("for User:CN=client: Read");
    Files.copy(otherClient.certificate(), file, StandardCopyOption.REPLACE_EXISTING);
    assertThat(permissions.sentence(List.of("Read"))).contains("for User:CN=another: Read");
    Files.delete(file);
    assertThat(permissions.sentence(List.of("Read"))).contains("for the proxy: Read");
  }

  @ParameterizedTest
  @CsvSource({
    "kafka.security-protocol, TLS, 'must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL'",
    "kafka.sasl-mechanism, GSSAPI, 'must be one of SCRAM-SHA-512, SCRAM-SHA-256, PLAIN'",
    "kafka.username, '', is not set",
    "kafka.password, '', is not set"
  })
  void rejectsIncompleteLogin(Setting<?> setting, String value, String reason) {
    login("SASL_SSL");
    set(setting, value);
    assertRejected(setting, reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"PLAINTEXT", "SSL"})
  void rejectsLoginWithoutSasl(String protocol) {
    set(Setting.KAFKA_SECURITY_PROTOCOL, protocol);
    set(Setting.KAFKA_USERNAME, "user");
    assertRejected(Setting.KAFKA_USERNAME, "SASL_SSL or SASL_PLAINTEXT");
    set(Setting.KAFKA_USERNAME, "");
    set(Setting.KAFKA_PASSWORD, PASSWORD);
    assertRejected(Setting.KAFKA_PASSWORD, "SASL_SSL or SASL_PLAINTEXT");
  }

  @ParameterizedTest
  @ValueSource(strings = {"PLAINTEXT", "SASL_PLAINTEXT"})
  void rejectsTlsSettingsWithoutTls(String protocol) {
    if (protocol.equals("SASL_PLAINTEXT")) {
      login(protocol);
    }
    set(Setting.KAFKA_CA_FILE, ca.certificateFile());
    assertRejected(Setting.KAFKA_CA_FILE, "SSL or SASL_SSL");
    set(Setting.KAFKA_CA_FILE, "");
    set(Setting.KAFKA_CERTIFICATE_FILE, client.certificate());
    assertRejected(Setting.KAFKA_CERTIFICATE_FILE, "SSL or SASL_SSL");
  }

  @Test
  void rejectsIncompleteOrMismatchedKeyPair() {
    set(Setting.KAFKA_SECURITY_PROTOCOL, "SSL");
    set(Setting.KAFKA_KEY_FILE, client.key());
    assertRejected(Setting.KAFKA_KEY_FILE, "kafka.certificate-file is not");
    set(Setting.KAFKA_KEY_FILE, "");
    set(Setting.KAFKA_CERTIFICATE_FILE, client.certificate());
    assertRejected(Setting.KAFKA_KEY_FILE, "is not set, but kafka.certificate-file is");
    set(Setting.KAFKA_KEY_FILE, otherClient.key());
    assertRejected(Setting.KAFKA_KEY_FILE, "whose key does not match the first certificate");
  }

  @Test
  void namesUnusableCertificateFile() {
    set(Setting.KAFKA_SECURITY_PROTOCOL, "SSL");
    set(Setting.KAFKA_CA_FILE, folder.resolve("absent"));
    assertRejected(Setting.KAFKA_CA_FILE, "absent, which does not exist");
    set(Setting.KAFKA_CA_FILE, client.key());
    assertRejected(Setting.KAFKA_CA_FILE, "client-key.pem, which has no certificate in PEM form");
    set(Setting.KAFKA_CA_FILE, client.keyStore());
    assertRejected(Setting.KAFKA_CA_FILE, "client.p12, which has no certificate in PEM form");
    set(Setting.KAFKA_CA_FILE, "\0");
    assertRejected(Setting.KAFKA_CA_FILE, "Nul character");
  }

  private void login(String protocol) {
    set(Setting.KAFKA_SECURITY_PROTOCOL, protocol);
    set(Setting.KAFKA_USERNAME, "user");
    set(Setting.KAFKA_PASSWORD, PASSWORD);
  }

  private void assertAccepted() {
    assertThatCode(this::read).doesNotThrowAnyException();
  }

  private void assertRejected(Setting<?> setting, String reason) {
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .startsWith(setting.key() + " ")
        .contains(reason)
        .contains(setting.environmentVariable())
        .doesNotContain("\n", PASSWORD);
  }

  private KafkaSecurity read() {
    return KafkaSecuritySettings.read(
        Settings.read(folder.resolve("absent.properties"), environment));
  }

  private void set(Setting<?> setting, Object value) {
    environment.put(setting.environmentVariable(), value.toString());
  }
}
