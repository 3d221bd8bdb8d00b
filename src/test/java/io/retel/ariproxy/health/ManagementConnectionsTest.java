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
import java.net.InetSocketAddress;
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
  private static final String LARGE = "/large";
  private static final int LARGE_BYTES = 1 << 20;
  private static final int MAX_UNREAD_BYTES = 4 * LARGE_BYTES;
  private static final int BUFFER_BYTES = 16 << 10;

  private final AtomicInteger held = new AtomicInteger();
  private final AtomicInteger ended = new AtomicInteger();
  private final Vertx vertx = Vertx.vertx();
  private final List<Socket> sockets = new ArrayList<>();
  private HttpServer server;

  private ManagementConnections connections;

  @BeforeEach
  void listen() {
    listen(Duration.ofSeconds(30), MAX_UNREAD_BYTES);
  }

  private void listen(Duration requestTimeout, long maxUnreadBytes) {
    connections =
        new ManagementConnections(
            new RefusedRequests(new SimpleMeterRegistry()), requestTimeout, maxUnreadBytes);
    server =
        vertx
            .createHttpServer(
                new HttpServerOptions()
                    .setHttp2ClearTextEnabled(false)
                    .setSendBufferSize(BUFFER_BYTES))
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
    router.route().handler(connections::begun);
    router
        .route()
        .handler(
            routing -> {
              connections.received(routing);
              if (routing.request().path().equals(HELD)) {
                held.incrementAndGet();
              } else if (routing.request().path().equals(LARGE)) {
                routing.response().end("x".repeat(LARGE_BYTES));
                ended.incrementAndGet();
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

    listen(Duration.ofMillis(1), MAX_UNREAD_BYTES);
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

  /** Otherwise 400 connections, each with a single request, would fill the heap. */
  @Test
  void unreadResponsesOfManyConnectionsAreLimited() throws IOException {
    int number = 20;
    Socket slow = requestLarge(PROBE);
    List<Socket> flood = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      flood.add(requestLarge(FLOOD));
    }
    Awaitility.await("responses are written").until(() -> ended.get() == number + 1);
    finish(begin(PROBE));

    assertThat(flood.stream().filter(ManagementConnectionsTest::isComplete).count())
        .isBetween(1L, (long) MAX_UNREAD_BYTES / LARGE_BYTES);
    assertThat(isComplete(slow)).as("response of another client").isTrue();
  }

  @Test
  void responseAboveLimitOfUnreadOnesIsComplete() throws IOException {
    listen(Duration.ofSeconds(30), 1);

    assertThat(isComplete(requestLarge(PROBE))).isTrue();
  }

  private Socket requestLarge(String client) throws IOException {
    Socket socket = open(client);
    send(socket, "GET " + LARGE + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    return socket;
  }

  private static boolean isComplete(Socket socket) {
    try {
      return socket.getInputStream().readAllBytes().length > LARGE_BYTES;
    } catch (IOException e) {
      return false;
    }
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
    Socket socket = new Socket();
    sockets.add(socket);
    socket.setReceiveBufferSize(BUFFER_BYTES);
    socket.bind(new InetSocketAddress(client, 0));
    socket.connect(new InetSocketAddress(FLOOD, server.actualPort()));
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
