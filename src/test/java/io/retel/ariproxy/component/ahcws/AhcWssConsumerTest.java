// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PfxOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckHelper;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.jsse.KeyStoreParameters;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.support.jsse.TrustManagersParameters;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TLS: connects only if the server's certificate is trusted and matches the host. */
class AhcWssConsumerTest {

  private static final String ROUTE = "events";
  private static final String STORE_PASSWORD = "changeit";
  private static final int LARGE = 3_000_000;
  private static final int SMALL = 2_000;

  @TempDir static Path directory;

  private static Path localhost;
  private static Path otherHost;

  private final Vertx vertx = Vertx.vertx();
  private final AtomicInteger websockets = new AtomicInteger();
  private final AtomicInteger openWebsockets = new AtomicInteger();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Collection<String> received = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void createCertificates() throws Exception {
    localhost = createCertificate("localhost");
    otherHost = createCertificate("elsewhere");
  }

  private static Path createCertificate(String host) throws Exception {
    Path store = directory.resolve(host + ".p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command =
        List.of(
            keytool,
            "-genkeypair",
            "-alias",
            host,
            "-keyalg",
            "EC",
            "-dname",
            "CN=" + host,
            "-ext",
            "SAN=dns:" + host,
            "-storetype",
            "PKCS12",
            "-keystore",
            store.toString(),
            "-storepass",
            STORE_PASSWORD);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    assertThat(process.waitFor(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue())
        .as(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isZero();
    return store;
  }

  @AfterEach
  void stop() {
    context.stop();
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  @Test
  void consumesOverTls() throws Exception {
    // more than the buffer holds, so reads pause and resume constantly
    start(localhost, localhost);
    await().until(() -> received.size() == 1 + SMALL);
    assertThat(received).first().matches(large -> large.length() == LARGE);
    assertThat(received)
        .extracting(String::length)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(0, SMALL).mapToObj(i -> i == 0 ? LARGE : i).toList());
    assertThat(websockets).hasValue(1);
    await().until(() -> health().getState() == HealthCheck.State.UP);
  }

  @Test
  void rejectsUntrustedCertificate() throws Exception {
    assertRefused(localhost, otherHost, "unable to find valid certification path");
  }

  @Test
  void rejectsCertificateOfOtherHost() throws Exception {
    assertRefused(otherHost, otherHost, "localhost");
  }

  @Test
  void rejectsPlaintextServer() throws Exception {
    assertRefused(null, localhost, "the server does not speak TLS");
  }

  /** As a server with other protocols, ciphers or names, or that fails. */
  @ParameterizedTest
  @CsvSource({
    "40, handshake_failure",
    "70, protocol_version",
    "80, internal_error",
    "112, unrecognized_name"
  })
  void namesFatalAlertOfServer(byte description, String name) throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Async.run(() -> respondWithAlert(listener, description));
      assertRefused(
          () -> start(listener.getLocalPort(), localhost), "Received fatal alert: " + name);
    }
  }

  private static void respondWithAlert(ServerSocket listener, byte description) {
    while (!listener.isClosed()) {
      try (Socket socket = listener.accept()) {
        socket.getInputStream().read(new byte[4_096]);
        socket.getOutputStream().write(new byte[] {21, 3, 3, 0, 2, 2, description});
      } catch (IOException e) {
        // closed by the client, or the test has ended
      }
    }
  }

  private void assertRefused(Path certificate, Path trusted, String reason) throws Exception {
    assertRefused(() -> start(certificate, trusted), reason);
  }

  private void assertRefused(Start start, String reason) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start.run();
      await().until(() -> health() != null && health().getMessage().orElse("").contains(reason));
      await().during(Duration.ofMillis(300)).until(() -> websockets.get() == 0);
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .contains("wss://localhost:")
          .contains("TLS connection failed: ")
          .contains(reason);
    }
  }

  /** Starts a consumer. */
  @FunctionalInterface
  private interface Start {
    void run() throws Exception;
  }

  /** As after an edit of {@code ari.url} or of the route from ws to wss. */
  @Test
  void closesPlaintextWebsocketOfReplacedRoute() throws Exception {
    AhcWsComponent plaintext = context.getComponent("ahc-ws", AhcWsComponent.class);
    AhcWsComponent secure = context.getComponent("ahc-wss", AhcWsComponent.class);
    plaintext.setOtherScheme(secure);
    secure.setOtherScheme(plaintext);
    HttpServer former = listen(null);
    trust(localhost);
    context.disableJMX();
    context.addRoutes(route("ahc-ws", former.actualPort()));
    context.start();
    await().until(() -> received.size() == 1 + SMALL);

    HttpServer current = listen(localhost);
    context.getRouteController().stopRoute(ROUTE);
    context.removeRoute(ROUTE);
    context.addRoutes(route("ahc-wss", current.actualPort()));

    await().until(() -> received.size() == 2 * (1 + SMALL));
    await().until(() -> openWebsockets.get() == 1);
    assertThat(websockets).hasValue(2);
    assertThat(plaintext.status()).isEmpty();
    assertThat(secure.status()).hasSize(1);
    assertThat(HealthCheckHelper.invoke(context))
        .extracting(result -> result.getCheck().getId())
        .filteredOn(id -> id.startsWith("websocket:"))
        .singleElement()
        .asString()
        .startsWith("websocket:wss:");
  }

  private void start(Path certificate, Path trusted) throws Exception {
    start(listen(certificate).actualPort(), trusted);
  }

  private void start(int port, Path trusted) throws Exception {
    trust(trusted);
    context
        .getComponent("ahc-wss", AhcWsComponent.class)
        .setTlsErrorDescriber(cause -> TlsErrors.describe(cause, "ca-file"));
    context.disableJMX();
    context.addRoutes(route("ahc-wss", port));
    context.start();
  }

  /** Starts a server that sends messages of different lengths; over TLS if it has a certificate. */
  private HttpServer listen(@Nullable Path certificate) throws Exception {
    HttpServerOptions options = new HttpServerOptions();
    if (certificate != null) {
      options
          .setSsl(true)
          .setKeyCertOptions(
              new PfxOptions().setPath(certificate.toString()).setPassword(STORE_PASSWORD));
    }
    return vertx
        .createHttpServer(options)
        .webSocketHandler(
            websocket -> {
              websockets.incrementAndGet();
              openWebsockets.incrementAndGet();
              websocket.closeHandler(closed -> openWebsockets.decrementAndGet());
              websocket.writeTextMessage("x".repeat(LARGE));
              for (int i = 1; i <= SMALL; i++) {
                websocket.writeTextMessage("x".repeat(i));
              }
            })
        .listen(0, "localhost")
        .toCompletionStage()
        .toCompletableFuture()
        .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
  }

  private void trust(Path certificate) {
    KeyStoreParameters store = new KeyStoreParameters();
    store.setResource("file:" + certificate);
    store.setPassword(STORE_PASSWORD);
    TrustManagersParameters trust = new TrustManagersParameters();
    trust.setKeyStore(store);
    SSLContextParameters tls = new SSLContextParameters();
    tls.setTrustManagers(trust);
    context.getRegistry().bind("tls", tls);
  }

  private RouteBuilder route(String scheme, int port) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from(scheme
                + ":localhost:"
                + port
                + "/events?reconnectInitialDelay=40&reconnectMaximumDelay=100&bufferSize=20000"
                + (scheme.equals("ahc-wss") ? "&sslContextParameters=#tls" : ""))
            .routeId(ROUTE)
            .process(exchange -> received.add(exchange.getMessage().getBody(String.class)));
      }
    };
  }

  private HealthCheck.Result health() {
    return HealthCheckHelper.invoke(context).stream()
        .filter(result -> result.getCheck().getId().startsWith("websocket:wss:"))
        .findFirst()
        .orElse(null);
  }
}
