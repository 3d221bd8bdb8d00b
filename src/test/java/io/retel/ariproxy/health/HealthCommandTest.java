// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.HttpReceiver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The option {@code --health}; {@code DistributionIT} runs it against a proxy. */
class HealthCommandTest {

  @AutoClose private final HttpReceiver program = HttpReceiver.start();

  @TempDir private Path folder;

  /** Another program can listen at the port. */
  @Test
  void escapesResponse() {
    program.answer(503, "{\"\u009b2J\u202e\u001b\r\n\": \"ü\"}");

    HealthCommand.Result result = check(URI.create(program.url("/")).getPort());

    assertThat(result.alive()).isFalse();
    assertThat(result.message()).isEqualTo("{\"\\u009b2J\\u202e\\u001b\n\": \"ü\"}");
  }

  /** Each read of the socket succeeds in time. */
  @ParameterizedTest
  @ValueSource(
      strings = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "HTTP/1.1 200 OK\r\nX: "})
  @Timeout(20)
  void drippingResponseHasDeadline(String start) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread drip = new Thread(() -> drip(server, start));
      drip.setDaemon(true);
      drip.start();

      HealthCommand.Result result = check(server.getLocalPort());

      assertThat(result.alive()).isFalse();
      assertThat(result.message()).endsWith(" does not respond within 4 s");
    }
  }

  private static void drip(ServerSocket server, String start) {
    try (Socket client = server.accept()) {
      client.getOutputStream().write(start.getBytes(StandardCharsets.UTF_8));
      while (true) {
        client.getOutputStream().write('x');
        Thread.sleep(200);
      }
    } catch (IOException | InterruptedException e) {
      // the client has left
    }
  }

  @Test
  void followsNoRedirect() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.getResponseHeaders().add("Location", program.url("/elsewhere"));
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    server.start();
    try {
      HealthCommand.Result result = check(server.getAddress().getPort());
      assertThat(result.alive()).isFalse();
      assertThat(result.message()).endsWith(" responds with status 302");
      assertThat(program.requests()).isEmpty();
    } finally {
      server.stop(0);
    }
  }

  private HealthCommand.Result check(int port) {
    return HealthCommand.run(
        Settings.read(
            folder.resolve("application.properties"),
            Map.of(
                "ARI_APP", "app",
                "ARI_USERNAME", "user",
                "ARI_PASSWORD", "secret",
                "KAFKA_COMMANDS_TOPIC", "commands",
                "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
                "MANAGEMENT_PORT", Integer.toString(port))));
  }
}
