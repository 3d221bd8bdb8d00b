// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients of an HTTP server; the addresses of 127.0.0.0/8 are different clients. */
class ManagementConnectionsTest {

  private static final String FLOOD = "127.0.0.1";
  private static final String PROBE = "127.0.0.2";

  private static final String HELD = "/held";

  private final AtomicInteger held = new AtomicInteger();
  private final Vertx vertx = Vertx.vertx();
  private final List<Socket> sockets = new ArrayList<>();
  private HttpServer server;

  private ManagementConnections connections;

  @BeforeEach
  void listen() {
    listen(Duration.ofSeconds(30));
  }

  private void listen(Duration requestTimeout) {
    connections =
        new ManagementConnections(new RefusedRequests(new SimpleMeterRegistry()), requestTimeout);
    server =
        vertx
            .createHttpServer(new HttpServerOptions().setHttp2ClearTextEnabled(false))
            .connectionHandler(connections::opened)
            .requestHandler(router())
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
  }

  /** Responds to all requests but those to {@link #HELD}. */
  private Router router() {
    Router router = Router.router(vertx);
    router
        .route()
        .handler(
            routing -> {
              connections.received(routing);
              if (routing.request().path().equals(HELD)) {
                held.incrementAndGet();
              } else {
                routing.response().end("UP");
              }
            });
    return router;
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

  @Test
  void floodOfRequestsInProcessClosesNoConnectionOfAnother() throws IOException {
    for (int i = 0; i < ManagementConnections.MAX_CONNECTIONS; i++) {
      send(open(FLOOD), "GET " + HELD + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    Awaitility.await("requests in process")
        .until(() -> held.get() == ManagementConnections.MAX_CONNECTIONS);

    assertThat(finish(begin(PROBE))).startsWith("HTTP/1.1 200 ");
  }

  @Test
  void closesConnectionsWhoseRequestDoesNotArriveInTime() throws IOException {
    Socket inTime = begin(PROBE);
    connections.closeExpired();
    assertThat(finish(inTime)).startsWith("HTTP/1.1 200 ");

    listen(Duration.ofMillis(1));
    List<Socket> late = List.of(begin(PROBE), begin(FLOOD), begin(FLOOD));
    for (Socket socket : late) {
      socket.setSoTimeout(1);
    }
    Awaitility.await("half requests are closed")
        .until(
            () -> {
              connections.closeExpired();
              return late.stream().noneMatch(ManagementConnectionsTest::isOpen);
            });
  }

  private static boolean isOpen(Socket socket) {
    try {
      return socket.getInputStream().read() >= 0;
    } catch (SocketTimeoutException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
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
    Socket socket = open(client);
    send(socket, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    return socket;
  }

  private Socket open(String client) throws IOException {
    Socket socket =
        new Socket(
            InetAddress.getByName(FLOOD), server.actualPort(), InetAddress.getByName(client), 0);
    sockets.add(socket);
    socket.setSoTimeout(60_000);
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
