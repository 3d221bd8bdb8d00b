// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
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
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests a proxy that cannot trust its store's certificate, or whose login the store rejects. */
@ExtendWith(KafkaExtension.class)
@FullRun("starts a proxy process and a server for each store")
@Tag(FullRun.ON_DEMAND)
class RejectedStoreIT {

  private static final String APP = "rejected-store";

  private static final String WRONG_PASSWORD = "wr0ng-passw0rd";

  private static final String KEYSPACE = "rejected";

  private static final String EXPIRED = "its certificate has expired";
  private static final String UNTRUSTED = "its certificate is not signed by a trusted CA";

  @TempDir private static Path certificates;
  private static CertificateAuthority authority;
  private static IssuedCertificate trusted;
  private static IssuedCertificate expired;
  private static IssuedCertificate untrusted;

  @TempDir private Path folder;
  private Path log;
  private SimulatedAsterisk asterisk;
  private ProxySettings settings;
  private ManagementClient management;

  /**
   * A server with TLS and a login.
   *
   * @param replaceCertificate restarts it
   * @param changePassword changes the required password, and disconnects the proxy
   * @param rejection in the message about a wrong password
   * @param secret the content of the proxy's file with a password
   */
  private record Server(
      Consumer<IssuedCertificate> replaceCertificate,
      Consumer<String> changePassword,
      String rejection,
      UnaryOperator<String> secret,
      String password) {}

  @BeforeAll
  static void issueCertificates() {
    authority = CertificateAuthority.create(certificates.resolve("trusted"));
    trusted = authority.forLocalhost();
    expired = authority.expired();
    untrusted = CertificateAuthority.create(certificates.resolve("untrusted")).forLocalhost();
  }

  @BeforeEach
  void configure(KafkaBroker kafka) throws IOException {
    log = folder.resolve("proxy.log");
    asterisk = SimulatedAsterisk.start();
    int port = ManagementClient.freePort();
    management = new ManagementClient(port);
    settings =
        ProxySettings.of(asterisk, APP, kafka)
            .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
            .with(Setting.CALLCONTEXT_STORE_TIMEOUT, "5s");
  }

  @AfterEach
  void close() {
    management.close();
    asterisk.close();
  }

  @Test
  void waitsForCertificateAndLoginOfRedis(KafkaBroker kafka) throws IOException {
    try (RedisServer server = RedisServer.launch(expired)) {
      settings
          .with(Setting.CALLCONTEXT_STORE, "redis")
          .withSecretFile(RedisStoreProvider.URI, secret(server.uri(WRONG_PASSWORD)))
          .withJvmOption("-Djavax.net.ssl.trustStore=" + trustStore())
          .withJvmOption("-Djavax.net.ssl.trustStorePassword=" + CertificateAuthority.PASSWORD);
      assertWaits(
          kafka,
          new Server(
              server::replaceCertificate,
              server::changePassword,
              "WRONGPASS",
              server::uri,
              RedisServer.PASSWORD));
    }
  }

  @Test
  void waitsForCertificateAndLoginOfPostgresql(KafkaBroker kafka) throws IOException {
    try (PostgresServer server = PostgresServer.launch(expired)) {
      settings
          .with(Setting.CALLCONTEXT_STORE, "jdbc")
          .with(
              JdbcStoreProvider.URL,
              server.url() + "?sslmode=verify-full&sslrootcert=" + authority.certificateFile())
          .with(JdbcStoreProvider.USERNAME, PostgresServer.USERNAME)
          .withSecretFile(JdbcStoreProvider.PASSWORD, secret(WRONG_PASSWORD));
      assertWaits(
          kafka,
          new Server(
              server::replaceCertificate,
              server::changePassword,
              "password authentication failed",
              UnaryOperator.identity(),
              PostgresServer.PASSWORD));
    }
  }

  @Test
  void waitsForCertificateAndLoginOfCassandra(KafkaBroker kafka) throws IOException {
    IssuedCertificate client = authority.forClient("proxy");
    try (CassandraServer server = CassandraServer.launch(trusted, authority)) {
      server.createKeyspace(KEYSPACE);
      server.createUser("ari", "first");
      server.replaceCertificate(expired);
      settings
          .with(Setting.CALLCONTEXT_STORE, "cassandra")
          .with(CassandraStoreProvider.HOSTS, server.hosts())
          .with(CassandraStoreProvider.KEYSPACE, KEYSPACE)
          .with(CassandraStoreProvider.USERNAME, "ari")
          .withSecretFile(CassandraStoreProvider.PASSWORD, secret(WRONG_PASSWORD))
          .with(CassandraStoreProvider.TLS, "true")
          .with(CassandraStoreProvider.CA_FILE, authority.certificateFile().toString())
          .with(CassandraStoreProvider.CERTIFICATE_FILE, client.certificate().toString())
          .with(CassandraStoreProvider.KEY_FILE, client.key().toString());
      assertWaits(
          kafka,
          new Server(
              server::replaceCertificate,
              required -> {
                server.execute("ALTER ROLE ari WITH PASSWORD = '" + required + "'");
                // otherwise sessions and cached passwords remain
                server.stop();
                server.start();
              },
              "Provided username",
              UnaryOperator.identity(),
              "first"));
    }
  }

  private void assertWaits(KafkaBroker kafka, Server server) throws IOException {
    try (Controller controller = new Controller(settings, kafka)) {
      try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
        awaitHealth("cannot be read: .*" + EXPIRED);
        server.replaceCertificate().accept(trusted);
        awaitHealth("cannot be read: .*" + server.rejection());
        assertThat(asterisk.totalWebsocketCount()).isZero();
        secret(server.secret().apply(server.password()));
        asterisk.awaitConnected(APP);
        SimulatedCall call = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "before"));
        controller.event("before", "STASIS_START");
        controller.execute("before", "POST", "/bridges/before").assertStatus(200);

        server.replaceCertificate().accept(untrusted);
        assertCallsContinue("certificate", UNTRUSTED, call, controller);
        server.replaceCertificate().accept(trusted);
        awaitWritten("certificate", controller);

        server.changePassword().accept("changed");
        assertCallsContinue("login", server.rejection(), call, controller);
        secret(server.secret().apply("changed"));
        awaitWritten("login", controller);
        assertThat(management.metric("ari_proxy_events_lost_total")).isZero();
        proxy.terminate();
      }
      assertThat(Files.readString(log))
          .contains("State STOPPED: all events acknowledged, no commands in flight");
      assertLogged("Not consuming yet: .*" + EXPIRED, 1);
      assertLogged("Not consuming yet: .*" + server.rejection(), 1);
      assertLogged("WriteBehind .*cannot be written: .*" + UNTRUSTED, 1);
      assertLogged("WriteBehind .*cannot be written: ", 2);

      try (ProxyProcess next = ProxyProcess.start(settings, folder.resolve("next.log"))) {
        for (String callContext : List.of("before", "certificate", "login")) {
          controller.event(callContext, "ARI_CONNECTION_RESTORED");
        }
        assertThat(next.isAlive()).isTrue();
      }
    }
  }

  /** Events, commands and a new call continue; a command that creates a resource is rejected. */
  private void assertCallsContinue(
      String newCall, String cause, SimulatedCall call, Controller controller) {
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", newCall));
    controller.event(newCall, "STASIS_START");
    awaitHealth("cannot be written: .*" + cause);
    controller.execute(newCall, "POST", "/bridges/" + newCall).assertStatus(503);
    controller.execute("before", "POST", "/channels/" + call.id() + "/answer").assertStatus(204);
    assertThat(management.metric("ari_proxy_persistence_pending")).isPositive();
  }

  private void awaitWritten(String newCall, Controller controller) {
    Awaitility.await("written")
        .ignoreExceptions()
        .until(
            () ->
                management.metric("ari_proxy_persistence_pending") == 0
                    && !management.get("/health").body().contains("cannot be written"));
    controller.execute(newCall, "POST", "/bridges/" + newCall).assertStatus(200);
  }

  private void awaitHealth(String cause) {
    Awaitility.await(cause)
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(management.get("/health").body()).containsPattern(cause));
  }

  private void assertLogged(String pattern, int lines) throws IOException {
    assertThat(Files.readAllLines(log))
        .filteredOn(line -> line.matches(".* WARN .*" + pattern + ".*"))
        .as(pattern)
        .hasSize(lines);
  }

  /** Creates or replaces the file with the secret. */
  private Path secret(String text) throws IOException {
    Path file = folder.resolve("secret");
    Files.move(
        Files.writeString(folder.resolve("next"), text), file, StandardCopyOption.ATOMIC_MOVE);
    return file;
  }

  /** Creates a key store that trusts the authority. */
  private Path trustStore() throws IOException {
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
