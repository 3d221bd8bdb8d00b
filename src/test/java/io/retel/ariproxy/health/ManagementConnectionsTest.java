// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients of an HTTP server; the addresses of 127.0.0.0/8 are different clients. */
class ManagementConnectionsTest {

  private static final String FLOOD = "127.0.0.1";
  private static final String PROBE = "127.0.0.2";

  private final Vertx vertx = Vertx.vertx();
  private final List<Socket> sockets = new ArrayList<>();
  private HttpServer server;

  @BeforeEach
  void listen() {
    ManagementConnections connections =
        new ManagementConnections(new RefusedRequests(new SimpleMeterRegistry()));
    server =
        vertx
            .createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
            .connectionHandler(connections::opened)
            .requestHandler(request -> request.response().end("UP"))
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
  }

  @AfterEach
  void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  @Test
  void floodOfOneClientClosesNoConnectionOfAnother() throws IOException {
    Socket probe = begin(PROBE);
    flood(3 * ManagementConnections.MAX_CONNECTIONS);

    assertThat(finish(probe)).startsWith("HTTP/1.1 200 ");
  }

  private void flood(int number) throws IOException {
    for (int i = 0; i < number; i++) {
      begin(FLOOD);
    }
    // the server has accepted all previous ones
    assertThat(finish(begin(FLOOD))).startsWith("HTTP/1.1 200 ");
  }

  /** Sends half a request. */
  private Socket begin(String client) throws IOException {
    Socket socket =
        new Socket(
            InetAddress.getByName(FLOOD), server.actualPort(), InetAddress.getByName(client), 0);
    sockets.add(socket);
    socket.setSoTimeout(60_000);
    send(socket, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    return socket;
  }

  private static String finish(Socket socket) throws IOException {
    send(socket, "Connection: close\r\n\r\n");
    InputStream in = socket.getInputStream();
    return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
