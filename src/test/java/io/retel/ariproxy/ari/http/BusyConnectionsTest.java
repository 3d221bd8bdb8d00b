// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.tls.SslContexts;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.junit.jupiter.api.Test;

/** A request that finds no free connection in time is not sent. */
class BusyConnectionsTest {

  private static final byte[] RESPONSE =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".getBytes(US_ASCII);

  private static final int CONNECTIONS = 1 + AriHttpClient.OWN_CONNECTIONS;
  private static final int RESPONSE_MS = 10;

  /** The pool reports the timeout in another way if a connection becomes free at that moment. */
  @Test
  void timeoutIsReportedAsNotSentEvenIfConnectionBecomesFree() throws Exception {
    ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              Thread.sleep(RESPONSE_MS);
              out.write(RESPONSE);
            })) {
      URI url = URI.create("http://127.0.0.1:" + server.port() + "/ari");
      AriHttpClient configurer =
          new AriHttpClient(
              new AriLogin(url, "user", new Secret("password")),
              new SslContexts(List::of),
              1,
              // about when the connections become free
              3 * RESPONSE_MS,
              DefaultTimeout.DURATION.toMillis(),
              "/ari",
              new SimpleMeterRegistry());
      configurer.pool().start();
      try (AriClient client = new AriClient(configurer, url)) {
        CompletableFuture.allOf(
                IntStream.range(0, 4 * CONNECTIONS)
                    .mapToObj(i -> Async.run(() -> sendOften(client, failures)))
                    .toArray(CompletableFuture[]::new))
            .get();
      } finally {
        configurer.pool().stop();
      }
    }
    assertThat(failures).hasAtLeastOneElementOfType(ConnectionRequestTimeoutException.class);
    assertThat(failures).filteredOn(failure -> !AriClient.isConnectFailure(failure)).isEmpty();
  }

  private static void sendOften(AriClient client, ConcurrentLinkedQueue<Exception> failures) {
    for (int i = 0; i < 50; i++) {
      try {
        client.send("GET", "/channels", null);
      } catch (Exception e) {
        failures.add(e);
      }
    }
  }
}
