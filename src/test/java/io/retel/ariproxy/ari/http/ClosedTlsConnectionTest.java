// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.tls.SslContexts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A TLS connection is not used for another request once Asterisk has closed it, or has sent more
 * than a response.
 */
class ClosedTlsConnectionTest {

  private static final byte[] RESPONSE =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".getBytes(US_ASCII);

  /** More than the idle time after which a connection is validated. */
  private static final long IDLE_MS = 200;

  private final BlockingQueue<Socket> answered = new LinkedBlockingQueue<>();

  /** Responses to each request other than a ping. */
  private volatile int responses = 1;

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void opensAnotherConnectionAfterCloseNotify(String protocol, @TempDir Path directory)
      throws Exception {
    CertificateAuthority authority = CertificateAuthority.create(directory);
    try (SSLServerSocket listener = listen(authority, protocol)) {
      Async.run(() -> accept(listener));
      AriHttpClient configurer = client(authority, listener.getLocalPort());
      configurer.pool().start();
      try (AriClient client =
          new AriClient(
              configurer, URI.create("https://localhost:" + listener.getLocalPort() + "/ari"))) {
        assertThat(client.send("GET", "/channels", null).status()).isEqualTo(200);
        Socket connection = answered.poll(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
        Thread.sleep(IDLE_MS);
        assertThat(client.send("GET", "/channels", null).status()).isEqualTo(200);
        assertThat(answered.poll(DefaultTimeout.SECONDS, TimeUnit.SECONDS))
            .as("an open connection is used again")
            .isSameAs(connection);

        // sends close_notify and FIN
        connection.close();
        Thread.sleep(IDLE_MS);
        assertThat(client.send("GET", "/channels", null).status()).isEqualTo(200);
      } finally {
        configurer.pool().stop();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
  void opensAnotherConnectionAfterSurplusResponse(String protocol, @TempDir Path directory)
      throws Exception {
    responses = 2;
    CertificateAuthority authority = CertificateAuthority.create(directory);
    try (SSLServerSocket listener = listen(authority, protocol)) {
      Async.run(() -> accept(listener));
      AriHttpClient configurer = client(authority, listener.getLocalPort());
      configurer.pool().start();
      try (AriClient client =
          new AriClient(
              configurer, URI.create("https://localhost:" + listener.getLocalPort() + "/ari"))) {
        client.send("GET", "/channels", null);
        Socket connection = answered.poll(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
        Thread.sleep(IDLE_MS);

        client.send("GET", "/channels", null);

        assertThat(answered.poll(DefaultTimeout.SECONDS, TimeUnit.SECONDS))
            .isNotNull()
            .isNotSameAs(connection);
      } finally {
        configurer.pool().stop();
      }
    }
  }

  private static AriHttpClient client(CertificateAuthority authority, int port) throws Exception {
    try (InputStream in = Files.newInputStream(authority.certificateFile())) {
      X509Certificate trusted =
          (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
      return new AriHttpClient(
          new AriLogin(
              URI.create("https://localhost:" + port + "/ari"), "user", new Secret("password")),
          new SslContexts(() -> List.of(trusted)),
          1,
          DefaultTimeout.DURATION.toMillis(),
          DefaultTimeout.DURATION.toMillis(),
          "/ari",
          new SimpleMeterRegistry());
    }
  }

  private static SSLServerSocket listen(CertificateAuthority authority, String protocol)
      throws Exception {
    char[] password = CertificateAuthority.PASSWORD.toCharArray();
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(authority.forLocalhost().keyStore())) {
      keys.load(in, password);
    }
    KeyManagerFactory keyManagers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keyManagers.init(keys, password);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keyManagers.getKeyManagers(), null, null);
    SSLServerSocket listener =
        (SSLServerSocket)
            tls.getServerSocketFactory().createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    listener.setEnabledProtocols(new String[] {protocol});
    return listener;
  }

  private void accept(SSLServerSocket listener) {
    try {
      while (!listener.isClosed()) {
        Socket connection = listener.accept();
        Async.run(() -> answer(connection));
      }
    } catch (IOException e) {
      // the test has ended
    }
  }

  /** Answers requests; pings on new connections are not recorded. */
  private void answer(Socket connection) {
    try {
      BufferedReader in =
          new BufferedReader(new InputStreamReader(connection.getInputStream(), US_ASCII));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        boolean isPing = line.contains("/asterisk/ping");
        while (!in.readLine().isEmpty()) {
          // the next header
        }
        for (int i = 0; i < (isPing ? 1 : responses); i++) {
          connection.getOutputStream().write(RESPONSE);
        }
        if (!isPing) {
          answered.add(connection);
        }
      }
    } catch (IOException e) {
      // closed by the test
    }
  }
}
