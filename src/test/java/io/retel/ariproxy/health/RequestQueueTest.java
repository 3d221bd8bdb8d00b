// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two paths of an HTTP server; the work of {@code /metrics} waits until the test permits it. */
class RequestQueueTest {

  private static final int MAX_WAITING = 20;

  /** An address of another client. */
  private static final String OTHER = "127.0.0.2";

  private final Vertx vertx = Vertx.vertx();
  private final Semaphore permits = new Semaphore(0);
  private final AtomicInteger arrived = new AtomicInteger();
  private final AtomicInteger disconnected = new AtomicInteger();
  private final AtomicInteger worked = new AtomicInteger();
  private final List<Socket> sockets = new ArrayList<>();
  private HttpServer server;

  @BeforeEach
  void listen() {
    RefusedRequests refused = new RefusedRequests(new SimpleMeterRegistry());
    Router router = Router.router(vertx);
    router.route().handler(this::count);
    router.route("/live").handler(new RequestQueue("liveness", MAX_WAITING, refused));
    router.route("/metrics").handler(new RequestQueue("metrics", MAX_WAITING, refused));
    // as Camel adds its handlers
    router.route("/live").blockingHandler(routing -> routing.response().end("UP"), true);
    router.route("/metrics").blockingHandler(this::work, true);
    server =
        vertx
            .createHttpServer()
            .requestHandler(router)
            .listen(0, "127.0.0.1")
            .toCompletionStage()
            .toCompletableFuture()
            .join();
  }

  private void count(RoutingContext routing) {
    arrived.incrementAndGet();
    routing.request().connection().closeHandler(closed -> disconnected.incrementAndGet());
    routing.next();
  }

  private void work(RoutingContext routing) {
    worked.incrementAndGet();
    permits.acquireUninterruptibly();
    routing.response().end("metrics");
  }

  @AfterEach
  void close() throws IOException {
    permits.release(1_000);
    for (Socket socket : sockets) {
      socket.close();
    }
    vertx.close().toCompletionStage().toCompletableFuture().join();
  }

  @Test
  void otherQueueDoesNotWait() throws IOException {
    send("/metrics");
    Awaitility.await().until(() -> worked.get() == 1);

    assertThat(reply(send("/live"))).startsWith("HTTP/1.1 200 ");
  }

  @Test
  void dropsRequestsOfClientsThatDoNotWait() throws IOException {
    final Socket first = send("/metrics");
    for (int i = 0; i < 100; i++) {
      send("/metrics").close();
    }
    Awaitility.await().until(() -> arrived.get() == 101 && disconnected.get() == 100);
    permits.release(1_000);

    assertThat(reply(first)).startsWith("HTTP/1.1 200 ");
    assertThat(reply(send("/metrics"))).startsWith("HTTP/1.1 200 ");
    assertThat(worked).as("requests that were worked").hasValue(2);
  }

  @Test
  void refusesRequestsAboveTheMaximum() throws IOException {
    send("/metrics");
    Awaitility.await().until(() -> worked.get() == 1);
    List<Socket> waiting = new ArrayList<>();
    for (int i = 0; i < MAX_WAITING; i++) {
      waiting.add(send("/metrics"));
    }
    Awaitility.await().until(() -> arrived.get() == 1 + MAX_WAITING);

    assertThat(reply(send("/metrics"))).startsWith("HTTP/1.1 503 ").contains("metrics wait");
    permits.release(1_000);
    for (Socket socket : waiting) {
      assertThat(reply(socket)).startsWith("HTTP/1.1 200 ");
    }
  }

  @Test
  void clientsTakeTurns() throws IOException {
    send("/metrics");
    Awaitility.await().until(() -> worked.get() == 1);
    List<Socket> flood = new ArrayList<>();
    for (int i = 0; i < MAX_WAITING; i++) {
      flood.add(send("/metrics"));
    }
    Awaitility.await().until(() -> arrived.get() == 1 + MAX_WAITING);
    Socket other = send("/metrics", OTHER);
    Awaitility.await().until(() -> arrived.get() == 2 + MAX_WAITING);
    assertThat(reply(flood.get(MAX_WAITING - 1)))
        .as("the last one of the client with the most")
        .startsWith("HTTP/1.1 503 ");

    permits.release(3);
    assertThat(reply(other)).startsWith("HTTP/1.1 200 ");
    assertThat(worked.get()).as("requests that were worked").isLessThanOrEqualTo(4);
  }

  private Socket send(String path) throws IOException {
    return send(path, "127.0.0.1");
  }

  private Socket send(String path, String client) throws IOException {
    Socket socket =
        new Socket(
            InetAddress.getLoopbackAddress(),
            server.actualPort(),
            InetAddress.getByName(client),
            0);
    sockets.add(socket);
    socket.setSoTimeout(60_000);
    String request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static String reply(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
  }
}
