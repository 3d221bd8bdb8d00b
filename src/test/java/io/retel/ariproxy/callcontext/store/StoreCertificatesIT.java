// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.store.CassandraServer;
import io.retel.ariproxy.fixtures.store.PostgresServer;
import io.retel.ariproxy.fixtures.store.RedisServer;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority.IssuedCertificate;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests stores whose server has a certificate that cannot be trusted, until it is replaced. */
@FullRun("starts servers with TLS, and waits until a certificate expires")
@Tag(FullRun.ON_DEMAND)
class StoreCertificatesIT {

  private static final String TRUST_STORE = "javax.net.ssl.trustStore";

  // of Cassandra; unlike the default, not part of a message
  private static final String KEYSPACE = "certificates";
  private static final String USERNAME = "ari";
  private static final String PASSWORD = "c4ss:p@ss/w%rd&";

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** Longer than a store needs to connect. */
  private static final Duration VALIDITY = Duration.ofSeconds(60);

  private enum Wrong {
    EXPIRED("its certificate has expired \\(.*"),
    OTHER_HOST("(?i).*(host ?name|subject alternative).*"),
    UNTRUSTED("its certificate is not signed by a trusted CA .*");

    /** Matches the message of the failure. */
    private final String message;

    Wrong(String message) {
      this.message = message;
    }
  }

  @TempDir private static Path folder;
  private static CertificateAuthority authority;
  private static IssuedCertificate trusted;
  private static Map<Wrong, IssuedCertificate> wrongCertificates;

  @BeforeAll
  static void issueCertificates() {
    authority = CertificateAuthority.create(folder.resolve("trusted"));
    trusted = authority.forLocalhost();
    wrongCertificates =
        Map.of(
            Wrong.EXPIRED,
            authority.expired(),
            Wrong.OTHER_HOST,
            authority.forOtherHost(),
            Wrong.UNTRUSTED,
            CertificateAuthority.create(folder.resolve("untrusted")).forLocalhost());
  }

  @AfterEach
  void restoreTrustStore() {
    System.clearProperty(TRUST_STORE);
    System.clearProperty(TRUST_STORE + "Password");
  }

  @Test
  void redisIsUsedOnceItsCertificateIsTrusted() throws Exception {
    System.setProperty(TRUST_STORE, trustStore().toString());
    System.setProperty(TRUST_STORE + "Password", CertificateAuthority.PASSWORD);
    try (RedisServer server = RedisServer.launch(trusted);
        CallContextStore store =
            new RedisStore(
                new Secret(server.uri(RedisServer.PASSWORD)),
                "asterisk",
                "app",
                Duration.ofHours(1),
                TIMEOUT)) {
      assertUsedOnceTrusted(store, server::replaceCertificate, "redis", VALIDITY);
    }
  }

  @Test
  void postgresqlIsUsedOnceItsCertificateIsTrusted() throws Exception {
    try (PostgresServer server = PostgresServer.launch(trusted);
        CallContextStore store =
            new JdbcStore(
                new Secret(
                    server.url()
                        + "?sslmode=verify-full&sslrootcert="
                        + authority.certificateFile()),
                PostgresServer.USERNAME,
                new Secret(PostgresServer.PASSWORD),
                "asterisk",
                "app",
                TIMEOUT)) {
      assertUsedOnceTrusted(store, server::replaceCertificate, "postgresql", VALIDITY);
      Logger driver = Logger.getLogger("org.postgresql.ssl.PGjdbcHostnameVerifier");
      assertThat(driver.isLoggable(Level.SEVERE))
          .as("prints the names of each wrong certificate to standard error")
          .isFalse();
    }
  }

  @Test
  void cassandraIsUsedOnceItsCertificateIsTrusted() throws Exception {
    IssuedCertificate client = authority.forClient("proxy");
    try (CassandraServer server = CassandraServer.launch(trusted, authority);
        CallContextStore store =
            cassandra(server, authority.certificateFile(), client.certificate(), client.key())) {
      createKeyspaceAndUser(server);
      // a start takes long
      assertUsedOnceTrusted(
          store, server::replaceCertificate, "cassandra", VALIDITY.multipliedBy(2));
    }
  }

  @Test
  void cassandraIsUsedOnceItTrustsTheClient() throws Exception {
    CertificateAuthority other = CertificateAuthority.create(folder.resolve("other"));
    IssuedCertificate rejected = other.forClient("rejected");
    IssuedCertificate accepted = authority.forClient("accepted");
    Path caFile = replace("ca.pem", other.certificateFile());
    Path certificateFile = replace("certificate.pem", rejected.certificate());
    Path keyFile = replace("key.pem", rejected.key());
    try (CassandraServer server = CassandraServer.launch(trusted, authority);
        CallContextStore store = cassandra(server, caFile, certificateFile, keyFile);
        CallContextStore withoutTls =
            CallContextStoreContract.create(cassandra(server), Map.of(), TIMEOUT)) {
      createKeyspaceAndUser(server);
      awaitFailure("its certificate is not signed by a trusted CA .*", () -> read(store));
      replace("ca.pem", authority.certificateFile());
      awaitFailure(
          "Cassandra rejects the proxy's certificate or requires one \\(.*\\); check"
              + " callcontext.cassandra-certificate-file and callcontext.cassandra-key-file",
          () -> read(store));
      replace("certificate.pem", accepted.certificate());
      replace("key.pem", accepted.key());
      awaitSuccess(() -> store.write(List.of(new Change("CHANNEL:1", "accepted"))));
      assertThat(read(store)).isEqualTo(Map.of("CHANNEL:1", "accepted"));

      awaitFailure("Cassandra is unreachable at .*", () -> read(withoutTls));
    }
  }

  @Test
  void cassandraWithoutTlsIsNamed() throws Exception {
    IssuedCertificate client = authority.forClient("unused");
    try (CassandraServer server = CassandraServer.launch();
        CallContextStore store =
            cassandra(server, authority.certificateFile(), client.certificate(), client.key())) {
      awaitFailure("the server does not speak TLS", () -> read(store));
    }
  }

  private static Map<Setting<?>, String> cassandra(CassandraServer server) {
    return Map.of(
        Setting.CALLCONTEXT_STORE,
        "cassandra",
        CassandraStoreProvider.HOSTS,
        server.hosts(),
        CassandraStoreProvider.KEYSPACE,
        KEYSPACE,
        CassandraStoreProvider.USERNAME,
        USERNAME,
        CassandraStoreProvider.PASSWORD,
        PASSWORD);
  }

  private static void createKeyspaceAndUser(CassandraServer server) {
    server.createKeyspace(KEYSPACE);
    server.createUser(USERNAME, PASSWORD);
  }

  private static CallContextStore cassandra(
      CassandraServer server, Path caFile, Path certificateFile, Path keyFile) {
    Map<Setting<?>, String> settings = new HashMap<>(cassandra(server));
    settings.put(CassandraStoreProvider.TLS, "true");
    settings.put(CassandraStoreProvider.CA_FILE, caFile.toString());
    settings.put(CassandraStoreProvider.CERTIFICATE_FILE, certificateFile.toString());
    settings.put(CassandraStoreProvider.KEY_FILE, keyFile.toString());
    return CallContextStoreContract.create(settings, Map.of(), TIMEOUT);
  }

  /** Creates or replaces a file of the store with a copy of another one. */
  private static Path replace(String name, Path source) throws IOException {
    Path copy = Files.copy(source, folder.resolve("next"));
    return Files.move(copy, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }

  private static void assertUsedOnceTrusted(
      CallContextStore store, Consumer<IssuedCertificate> replace, String name, Duration validity)
      throws Exception {
    wrongCertificates.forEach(
        (wrong, certificate) -> {
          replace.accept(certificate);
          awaitFailure(wrong.message, () -> read(store));
        });
    IssuedCertificate expiring = authority.expiring(name, validity);
    replace.accept(expiring);
    awaitSuccess(() -> store.write(List.of(new Change("CHANNEL:1", "valid"))));
    await("expiry").until(expiring::isExpired);
    // on the open connection
    store.write(List.of(new Change("CHANNEL:2", "expired")));

    Map<Wrong, IssuedCertificate> whileConnected = new HashMap<>(wrongCertificates);
    whileConnected.put(Wrong.EXPIRED, expiring);
    whileConnected.forEach(
        (wrong, certificate) -> {
          replace.accept(certificate);
          awaitFailure(
              wrong.message, () -> store.write(List.of(new Change("CHANNEL:3", wrong.name()))));
        });
    replace.accept(trusted);
    awaitSuccess(() -> store.write(List.of(new Change("CHANNEL:3", "trusted"))));

    assertThat(read(store))
        .isEqualTo(Map.of("CHANNEL:1", "valid", "CHANNEL:2", "expired", "CHANNEL:3", "trusted"));
  }

  private interface Action {
    void run() throws Exception;
  }

  /** Any other failure, such as of the connection that the server closed, may precede it. */
  private static void awaitFailure(String message, Action action) {
    await(message).untilAsserted(() -> assertThat(failure(action)).matches(message));
  }

  private static void awaitSuccess(Action action) {
    await().untilAsserted(() -> assertThat(failure(action)).isEmpty());
  }

  /** Returns the message that health reports, or an empty one. */
  private static String failure(Action action) {
    try {
      action.run();
      return "";
    } catch (Exception e) {
      return ErrorMessages.singleLine(e);
    }
  }

  private static Map<String, String> read(CallContextStore store) throws Exception {
    Map<String, String> all = new HashMap<>();
    store.readAll(all::put);
    return all;
  }

  /** Creates a key store that trusts the authority. */
  private static Path trustStore() throws IOException {
    Path file = folder.resolve("trust.p12");
    try (InputStream pem = Files.newInputStream(authority.certificateFile());
        OutputStream out = Files.newOutputStream(file)) {
      KeyStore trust = KeyStore.getInstance("PKCS12");
      trust.load(null, null);
      trust.setCertificateEntry(
          "ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
      trust.store(out, CertificateAuthority.PASSWORD.toCharArray());
      return file;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
