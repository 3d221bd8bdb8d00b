// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.config.Secret;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.hc.client5.http.classic.methods.HttpGet;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.core5.http.HttpHost;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No other server receives ARI's login, or anything else, through {@link AriHttpClient}. */
class LoginScopeTest {

  private final List<String> atAri = new CopyOnWriteArrayList<>();
  private final List<String> atOther = new CopyOnWriteArrayList<>();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private HttpServer ari;
  private HttpServer other;
  private AriHttpClient configurer;

  @BeforeEach
  void start() throws Exception {
    other = server(atOther, 200);
    ari = server(atAri, 302);
    SSLContext tls = SSLContext.getDefault();
    configurer =
        new AriHttpClient(
            new AriLogin(URI.create(url(ari)), "user", new Secret("password")),
            () -> tls,
            1,
            5_000,
            60_000,
            "/ari",
            new SimpleMeterRegistry());
    context.getRegistry().bind("ariHttpClient", configurer);
    context.disableJMX();
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
    ari.stop(0);
    other.stop(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"http://localhost:%d/ari", "http://127.0.0.1:%d/ari"})
  void rejectsRouteToOtherServer(String url) {
    assertNotSent(url.formatted(other.getAddress().getPort()), Map.of());
  }

  @Test
  void rejectsHeaderWithOtherServer() {
    assertNotSent(url(ari), Map.of(Exchange.HTTP_URI, url(other)));
    assertThat(atAri).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "%s?httpClientConfigurer=#ariHttpClient&proxyHost=localhost&proxyPort=%d",
        "%s?httpClientConfigurer=#ariHttpClient&proxyAuthScheme=http&proxyHost=localhost&proxyPort=%d"
      })
  void rejectsProxy(String endpoint) {
    assertRejected(endpoint.formatted(url(ari), other.getAddress().getPort()), Map.of());
    assertThat(atAri).isEmpty();
  }

  @Test
  void rejectsProxyOfClient() throws Exception {
    HttpClientBuilder builder = HttpClientBuilder.create();
    configurer.configureHttpClient(builder);
    builder.setProxy(new HttpHost("http", "localhost", other.getAddress().getPort()));
    try (CloseableHttpClient client = builder.build()) {
      assertThatThrownBy(
              () -> client.execute(new HttpGet(url(ari)), response -> response.getCode()))
          .isInstanceOf(ConnectException.class)
          .hasMessageContaining(
              "connects to ari.url only, not to " + url(other).replace("/ari", ""));
    }
    assertThat(atOther).isEmpty();
  }

  @Test
  void doesNotFollowRedirect() throws Exception {
    Exchange exchange =
        context
            .createProducerTemplate()
            .request(endpoint(url(ari)) + "&throwExceptionOnFailure=false", each -> {});
    assertThat(exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE)).isEqualTo(302);
    assertThat(atAri).contains("Basic dXNlcjpwYXNzd29yZA==");
    assertThat(atOther).isEmpty();
  }

  @Test
  void replacesLoginOfRoute() {
    context
        .createProducerTemplate()
        .request(
            endpoint(url(ari)) + "&throwExceptionOnFailure=false",
            each -> each.getMessage().setHeader("Authorization", "Basic other"));
    assertThat(atAri).isNotEmpty().containsOnly("Basic dXNlcjpwYXNzd29yZA==");
  }

  @Test
  void ownRequestsGoToAriOnly() {
    try (AriClient client = new AriClient(configurer, URI.create(url(other)))) {
      assertThatThrownBy(() -> client.send("GET", "/channels", null))
          .isInstanceOf(ConnectException.class);
    }
    assertThat(atOther).isEmpty();
  }

  private void assertNotSent(String url, Map<String, Object> headers) {
    assertRejected(endpoint(url), headers);
  }

  private void assertRejected(String endpoint, Map<String, Object> headers) {
    assertThatThrownBy(
            () -> context.createProducerTemplate().requestBodyAndHeaders(endpoint, null, headers))
        .isInstanceOf(CamelExecutionException.class)
        .hasCauseInstanceOf(ConnectException.class);
    assertThat(atOther).isEmpty();
  }

  private static String endpoint(String url) {
    return url + "?httpClientConfigurer=#ariHttpClient";
  }

  private static String url(HttpServer server) {
    return "http://localhost:" + server.getAddress().getPort() + "/ari";
  }

  /** Responds to pings with 200. */
  private HttpServer server(List<String> logins, int status) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          logins.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
          boolean ping = exchange.getRequestURI().getPath().endsWith("/ping");
          exchange.getResponseHeaders().add("Location", status == 302 ? url(other) : "");
          exchange.sendResponseHeaders(ping ? 200 : status, -1);
          exchange.close();
        });
    server.start();
    return server;
  }
}
