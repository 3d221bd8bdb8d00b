// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.tls.SslContexts;
import java.net.ConnectException;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A response with status 401 means that nothing was executed, regardless of its body. */
class RejectedLoginTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 0\r\n\r\n",
        "Content-Length: 2\r\n\r\n{}",
        "Content-Length: 3000000000\r\n\r\n%s",
        "Transfer-Encoding: chunked\r\n\r\n10000\r\n%s"
      })
  void isReportedAsNotSent(String rest) throws Exception {
    String response = "HTTP/1.1 401 Unauthorized\r\n" + rest.formatted("x".repeat(65_536));
    try (RawHttpServer server =
        RawHttpServer.start((request, out) -> out.write(response.getBytes(US_ASCII)))) {
      URI url = URI.create("http://127.0.0.1:" + server.port() + "/ari");
      AriHttpClient configurer =
          new AriHttpClient(
              new AriLogin(url, "user", new Secret("password")),
              new SslContexts(List::of),
              1,
              DefaultTimeout.DURATION.toMillis(),
              DefaultTimeout.DURATION.toMillis(),
              "/ari",
              new SimpleMeterRegistry());
      configurer.pool().start();
      try (AriClient client = new AriClient(configurer, url)) {
        assertThatThrownBy(() -> client.send("GET", "/channels", null))
            .isInstanceOf(ConnectException.class)
            .hasMessageContaining("rejects the login with 401")
            .satisfies(e -> assertThat(AriClient.isConnectFailure((Exception) e)).isTrue());
      } finally {
        configurer.pool().stop();
      }
    }
  }
}
