// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.RawHttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A websocket server that sends forever is cut off. */
class AhcWsHostileServerTest {

  private static final String HEAD = "HTTP/1.1 101 Switching Protocols\r\n";
  private static final long FLOOD_BYTES = 256L << 20;
  private static final long LIMIT = 16L << 20;
  private static final int PING_BYTES = 125;
  private static final int PINGS = 600_000;

  private final DefaultCamelContext context = new DefaultCamelContext();

  @BeforeEach
  void disableJmx() {
    context.disableJMX();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @ParameterizedTest
  @ValueSource(strings = {HEAD + "X: ", "", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"})
  void drippingHandshakeIsRetried(String start) throws Exception {
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              out.write(RawHttpServer.bytes(start));
              for (int i = 0; i < 200; i++) {
                out.write('x');
                Thread.sleep(100);
              }
            })) {
      connect(server.port());

      await().until(() -> server.connections() >= 2);

      assertThat(server.endedResponses()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "HTTP/1.1 101 ",
        HEAD + "X: ",
        HEAD,
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 500 Error\r\nContent-Length: 10000000000\r\n\r\n"
      })
  void endlessHandshakeIsCutOff(String start) throws Exception {
    byte[] part =
        RawHttpServer.bytes(
            start.equals(HEAD)
                ? "X: x\r\n".repeat(1_000)
                : start.contains("100") ? start : "x".repeat(8_000));
    try (RawHttpServer server =
        RawHttpServer.start(
            (request, out) -> {
              out.write(RawHttpServer.bytes(start));
              for (long sent = 0; sent < FLOOD_BYTES; sent += part.length) {
                out.write(part);
              }
            })) {
      connect(server.port());

      await().until(() -> server.connections() >= 2);

      assertThat(server.endedResponses()).isZero();
    }
  }

  /** Otherwise the pongs would fill the heap. */
  @Test
  void unreadPongsAreNotQueued() throws Exception {
    try (ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      connect(listener.getLocalPort());
      try (Socket socket = RawWebSocketServer.accept(listener)) {
        OutputStream out = socket.getOutputStream();
        byte[] ping = new byte[2 + PING_BYTES];
        ping[0] = (byte) 0x89;
        ping[1] = PING_BYTES;
        byte[] pings = new byte[1_000 * ping.length];
        for (int i = 0; i < 1_000; i++) {
          System.arraycopy(ping, 0, pings, i * ping.length, ping.length);
        }
        for (int i = 0; i < PINGS / 1_000; i++) {
          out.write(pings);
        }

        assertThat(read(socket)).isPositive().isLessThan(LIMIT);
      }
    }
  }

  static Stream<Arguments> violations() {
    return Stream.of(
        Arguments.of("close code 999", new byte[] {(byte) 0x88, 2, 3, (byte) 0xE7}),
        Arguments.of("RSV bits", new byte[] {(byte) 0xC1, 1, 'x'}),
        Arguments.of("opcode 3", new byte[] {(byte) 0x83, 0}),
        Arguments.of("long ping", new byte[] {(byte) 0x89, 126, 0, 126}));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("violations")
  void reconnectsAfterProtocolViolationWithoutLoss(String name, byte[] frame) throws Exception {
    try (ServerSocket listener = listen();
        CapturedLog log = new CapturedLog()) {
      connect(listener.getLocalPort());
      AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
      try (Socket socket = RawWebSocketServer.accept(listener)) {
        await().until(() -> component.status().get(0).connected());
        socket.getOutputStream().write(frame);

        RawWebSocketServer.accept(listener).close();
      }
      assertThat(log.lines(Level.ERROR)).isEmpty();
      assertThat(log.lines(Level.WARN))
          .anyMatch(line -> line.contains("violates the websocket protocol"));
      assertThat(component.lostMessages()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"fragments", "one frame"})
  void reconnectsDuringEndlessMessage(String kind) throws Exception {
    boolean fragments = kind.equals("fragments");
    try (ServerSocket listener = listen()) {
      connect(listener.getLocalPort(), "pingInterval=100&pongTimeout=100");
      try (Socket socket = RawWebSocketServer.accept(listener)) {
        OutputStream out = socket.getOutputStream();
        out.write(fragments ? new byte[] {1, 0} : new byte[] {(byte) 0x81, 126, 127, 127});
        Future<Socket> next = Async.supply(() -> acceptNext(listener));
        while (!next.isDone()) {
          try {
            out.write(fragments ? new byte[] {0, 0} : new byte[] {'x'});
          } catch (IOException e) {
            // closed by the proxy
          }
          Thread.sleep(20);
        }
        next.get().close();
      }
    }
  }

  /** The server can execute an upgrade that has timed out, and so replace the next one. */
  @Test
  void reopensOnceForUpgradeWithoutResponse() throws Exception {
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    BlockingQueue<Boolean> reopened = new LinkedBlockingQueue<>();
    component.setOnText(text -> reopened.add(component.reopenIfDisplaced()));
    try (ServerSocket listener = listen()) {
      connect(listener.getLocalPort());
      try (Socket unanswered = listener.accept()) {
        for (boolean expected : List.of(true, false)) {
          try (Socket socket = RawWebSocketServer.accept(listener)) {
            socket.getOutputStream().write(new byte[] {(byte) 0x81, 1, 'x'});
            assertThat(reopened.poll(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isEqualTo(expected);
          }
        }
      }
    }
  }

  private static Socket acceptNext(ServerSocket listener) {
    try {
      return RawWebSocketServer.accept(listener);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ServerSocket listen() throws IOException {
    ServerSocket listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    listener.setSoTimeout((int) DefaultTimeout.DURATION.toMillis());
    return listener;
  }

  private static long read(Socket socket) throws IOException {
    socket.setSoTimeout(3_000);
    InputStream in = socket.getInputStream();
    byte[] buffer = new byte[65_536];
    long total = 0;
    try {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        total += count;
      }
    } catch (SocketTimeoutException e) {
      // all that was sent is read
    }
    return total;
  }

  private void connect(int port) throws Exception {
    connect(port, "pingInterval=0");
  }

  private void connect(int port, String options) throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("ahc-ws:localhost:"
                    + port
                    + "/ari/events?app=app&connectTimeout=700&reconnectInitialDelay=40"
                    + "&reconnectMaximumDelay=200&refusedMaximumDelay=200&"
                    + options)
                .log("received");
          }
        });
    context.start();
  }
}
