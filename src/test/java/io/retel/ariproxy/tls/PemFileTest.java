// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parsing of PEM files, and error messages. */
class PemFileTest {

  private static final String NO_PASSWORD = "";

  @TempDir private static Path folder;
  private static CertificateAuthority ca;
  private static CertificateAuthority.IssuedCertificate client;
  private static PrivateKey rsaKey;

  @BeforeAll
  static void issueCertificates() throws Exception {
    rsaKey = generateRsaKey();
    ca = CertificateAuthority.create(folder.resolve("ca"));
    client = ca.forClient("client");
  }

  @Test
  void readsCertificatesInOrderIgnoringOtherText() throws Exception {
    PemFile file =
        writePemFile(
            "subject=CN = client\r\n"
                + Files.readString(client.certificate()).replace("\n", "\r\n")
                + "-----BEGIN X509 CRL-----\n???\n-----END X509 CRL-----\n"
                + Files.readString(client.key())
                + Files.readString(ca.certificateFile()));
    assertThat(file.certificates())
        .extracting(certificate -> certificate.getSubjectX500Principal().getName())
        .containsExactly("CN=client", "CN=Private CA");
  }

  @Test
  void keyMatchesOnlyItsCertificate() throws Exception {
    PrivateKey key = new PemFile(client.key()).privateKey(NO_PASSWORD);
    assertThat(
            new ClientCertificate(new PemFile(client.certificate()).certificates(), key)
                .keyMatchesCertificate())
        .isTrue();
    assertThat(
            new ClientCertificate(new PemFile(ca.certificateFile()).certificates(), key)
                .keyMatchesCertificate())
        .isFalse();
    assertThat(
            new ClientCertificate(new PemFile(ca.certificateFile()).certificates(), rsaKey)
                .keyMatchesCertificate())
        .isFalse();
  }

  @Test
  void readsRsaKey() throws Exception {
    assertThat(writePemFile(Pem.encode(rsaKey)).privateKey(NO_PASSWORD)).isEqualTo(rsaKey);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-v2 aes-256-cbc -v2prf hmacWithSHA256",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v1 PBE-SHA1-3DES"
      })
  void decryptsKeyWithPassword(String options) throws Exception {
    PemFile file = writePemFile(encrypt(rsaKey, options, "a password"));
    assertThat(file.privateKey("a password")).isEqualTo(rsaKey);
    assertThatThrownBy(() -> file.privateKey("another"))
        .isInstanceOf(PemException.class)
        .hasMessageContaining("which has a key that the password does not decrypt");
    assertThatThrownBy(() -> file.privateKey(NO_PASSWORD))
        .hasMessageContaining("encrypted key, but no password is set");
  }

  /** PBES2 without parameters. */
  @Test
  void rejectsEncryptedKeyWithoutParameters() throws IOException {
    byte[] der = HexFormat.of().parseHex("3011300b06092a864886f70d01050d040204ff");
    PemFile file =
        writePemFile(
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                + Base64.getEncoder().encodeToString(der)
                + "\n-----END ENCRYPTED PRIVATE KEY-----\n");
    assertThatThrownBy(() -> file.privateKey("a password"))
        .isInstanceOf(PemException.class)
        .hasMessageContaining("which has a key that the password does not decrypt");
  }

  @Test
  void rejectsLegacyKeyWithConversionCommand() throws IOException {
    PemFile file =
        writePemFile(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0\n\n"
                + "AAAA\n-----END RSA PRIVATE KEY-----\n");
    assertThatThrownBy(() -> file.privateKey(NO_PASSWORD))
        .hasMessageContaining("BEGIN RSA PRIVATE KEY")
        .hasMessageContaining("openssl pkcs8 -topk8");
  }

  @Test
  void rejectsFileWithoutEnd() {
    assertThatThrownBy(new PemFile(Path.of("/dev/zero"))::certificates)
        .hasMessageContaining("which is larger than 1 MB");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-----BEGIN A-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN ",
        "-----BEGIN A-----\n-----END B-----\n",
        "-",
        "A-----BEGIN \n"
      })
  void rejectsBlocksWithoutEndInLinearTime(String block) throws IOException {
    PemFile file = writePemFile(block.repeat((1 << 20) / block.length()));
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> assertThatThrownBy(file::certificates).hasMessageContaining("has no certificate"));
  }

  @Test
  void readsCertificateAfterBlocksWithoutEnd() throws Exception {
    PemFile file =
        writePemFile(
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN A-----\n------ \n"
                + Files.readString(ca.certificateFile())
                + "-----BEGIN CERTIFICATE-----\nAAAA\n");
    assertThat(file.certificates()).hasSize(1);
  }

  @Test
  void rejectsMalformedPem() throws IOException {
    PemFile file = writePemFile("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assertThatThrownBy(file::certificates).hasMessageContaining("a malformed certificate");
    assertThatThrownBy(() -> file.privateKey(NO_PASSWORD))
        .hasMessageContaining("has no private key");
    PemFile key = writePemFile("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assertThatThrownBy(() -> key.privateKey(NO_PASSWORD)).hasMessageContaining("malformed");
    assertThatThrownBy(key::certificates).hasMessageContaining("has no certificate");
  }

  @Test
  void clientCertificateToStringHidesKey() throws Exception {
    PrivateKey key = new PemFile(client.key()).privateKey(NO_PASSWORD);
    assertThat(new ClientCertificate(new PemFile(client.certificate()).certificates(), key))
        .hasToString("CN=client");
  }

  private static PrivateKey generateRsaKey() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    return generator.generateKeyPair().getPrivate();
  }

  /** Uses openssl like an operator; skipped without openssl. */
  private static String encrypt(PrivateKey key, String options, String password) throws Exception {
    Path plain = Files.writeString(folder.resolve("plain.pem"), Pem.encode(key));
    Path encrypted = folder.resolve("encrypted.pem");
    List<String> command =
        new ArrayList<>(List.of(Tool.OPENSSL.path().toString(), "pkcs8", "-topk8"));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of("-in", plain.toString(), "-out", encrypted.toString()));
    command.addAll(List.of("-passout", "pass:" + password));
    Process openssl = new ProcessBuilder(command).redirectErrorStream(true).start();
    assertThat(openssl.waitFor()).isZero();
    return Files.readString(encrypted);
  }

  private static PemFile writePemFile(String content) throws IOException {
    return new PemFile(Files.writeString(Files.createTempFile(folder, "pem", ""), content));
  }
}
