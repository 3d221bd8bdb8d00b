// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PfxOptions;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS: connects only if the server's certificate is trusted and matches the host. */
class AhcWssConsumerTest {

  private static final String STORE_PASSWORD = "changeit";
  private static final int LARGE = 3_000_000;
  private static final int SMALL = 2_000;

  @TempDir static Path directory;

  private static Path localhost;
  private static Path otherHost;

  private final Vertx vertx = Vertx.vertx();
  private final AtomicInteger websockets = new AtomicInteger();
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

  private void assertRefused(Path certificate, Path trusted, String reason) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      start(certificate, trusted);
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

  private void start(Path certificate, Path trusted) throws Exception {
    HttpServerOptions options = new HttpServerOptions();
    if (certificate != null) {
      options
          .setSsl(true)
          .setKeyCertOptions(
              new PfxOptions().setPath(certificate.toString()).setPassword(STORE_PASSWORD));
    }
    HttpServer server =
        vertx
            .createHttpServer(options)
            .webSocketHandler(
                websocket -> {
                  websockets.incrementAndGet();
                  websocket.writeTextMessage("x".repeat(LARGE));
                  for (int i = 1; i <= SMALL; i++) {
                    websocket.writeTextMessage("x".repeat(i));
                  }
                })
            .listen(0, "localhost")
            .toCompletionStage()
            .toCompletableFuture()
            .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    KeyStoreParameters store = new KeyStoreParameters();
    store.setResource("file:" + trusted);
    store.setPassword(STORE_PASSWORD);
    TrustManagersParameters trust = new TrustManagersParameters();
    trust.setKeyStore(store);
    SSLContextParameters tls = new SSLContextParameters();
    tls.setTrustManagers(trust);
    context
        .getComponent("ahc-wss", AhcWsComponent.class)
        .setTlsErrorDescriber(cause -> TlsErrors.describe(cause, "ca-file"));
    context.disableJMX();
    context.getRegistry().bind("tls", tls);
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("ahc-wss:localhost:"
                    + server.actualPort()
                    + "/events?sslContextParameters=#tls&reconnectInitialDelay=40"
                    + "&reconnectMaximumDelay=100&bufferSize=20000")
                .process(exchange -> received.add(exchange.getMessage().getBody(String.class)));
          }
        });
    context.start();
  }

  private HealthCheck.Result health() {
    return HealthCheckHelper.invoke(context).stream()
        .filter(result -> result.getCheck().getId().startsWith("websocket:wss:"))
        .findFirst()
        .orElse(null);
  }
}
