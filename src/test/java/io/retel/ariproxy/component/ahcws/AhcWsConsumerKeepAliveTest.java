// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Ping;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;

/** Pings in both directions, and detection of a dead peer. */
class AhcWsConsumerKeepAliveTest extends AhcWsTestSupport {

  @Test
  void pingsAndStaysConnectedWhileIdle() throws Exception {
    startConnected("pingInterval=50&pongTimeout=5000&connectTimeout=1000");
    int total = asterisk.totalWebsocketCount();
    // idle for longer than connectTimeout
    await().until(() -> asterisk.pingsReceived() >= 30);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(total);
    assertThat(asterisk.textFramesReceived()).isZero();
    assertThat(asterisk.unsolicitedPongs()).isZero();
  }

  @Test
  void staysConnectedWithoutPings() throws Exception {
    startConnected("pingInterval=0&connectTimeout=1000&pongTimeout=100");
    int total = asterisk.totalWebsocketCount();
    await().during(Duration.ofMillis(1_200)).until(() -> asterisk.totalWebsocketCount() == total);
    assertThat(asterisk.openWebsocketCount()).isEqualTo(1);
    assertThat(asterisk.pingsReceived()).isZero();
  }

  @Test
  void echoesPingPayloadInPong() throws Exception {
    startConnected("");
    for (String payload : new String[] {"", "1", "x".repeat(125)}) {
      Ping ping = asterisk.websocketFaults(APP).ping(payload);
      ping.awaitPong();
    }
    assertThat(asterisk.unsolicitedPongs()).isZero();
    assertThat(asterisk.textFramesReceived()).isZero();
  }

  @Test
  void detectsUnresponsiveServer() throws Exception {
    startConnected("pingInterval=100&pongTimeout=300");
    try (CapturedLog log = new CapturedLog()) {
      asterisk.websocketFaults(APP).freeze();
      await().until(() -> asterisk.totalWebsocketCount() >= 2);
      awaitConnected();
      asterisk.emit(APP, "after the stall");
      awaitReceived(1);
      assertThat(log.events())
          .anyMatch(
              event ->
                  event.getFormattedMessage().contains("No data received within 300 ms of a ping"));
    }
  }

  @Test
  void hasReceivedAllMessagesOfUninterruptedConnection() throws Exception {
    startConnected("pingInterval=50&pongTimeout=60000");
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    long connected = System.nanoTime();
    await().until(() -> component.hasReceivedAll(connected, connected));
    assertThat(component.hasReceivedAll(connected - Duration.ofDays(1).toNanos(), connected))
        .isFalse();

    asterisk.websocketFaults(APP).freeze();
    // pongs sent before have arrived
    await().pollDelay(Duration.ofMillis(200)).until(() -> true);
    long frozen = System.nanoTime();
    await()
        .during(Duration.ofMillis(300))
        .until(() -> !component.hasReceivedAll(connected, frozen));

    asterisk.dropConnections();
    await().until(() -> asterisk.totalWebsocketCount() >= 2);
    awaitConnected();
    long reconnected = System.nanoTime();
    await().until(() -> component.hasReceivedAll(reconnected, reconnected));
    assertThat(component.hasReceivedAll(connected, frozen)).isFalse();
  }

  @Test
  void hasNotReceivedAllMessagesWhileBuffered() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    startConnected("pingInterval=50", exchange -> release.await());
    AhcWsComponent component = context.getComponent("ahc-ws", AhcWsComponent.class);
    long connected = System.nanoTime();
    asterisk.emit(APP, "processed");
    asterisk.emit(APP, "buffered");
    await().until(() -> component.status().get(0).bufferedMessages() == 1);

    await()
        .during(Duration.ofMillis(200))
        .until(() -> !component.hasReceivedAll(connected, connected));
    release.countDown();
    await().until(() -> component.hasReceivedAll(connected, connected));
  }

  @Test
  void reconnectsAfterNetworkRecovers() throws Exception {
    startConnected("pingInterval=100&pongTimeout=300");
    asterisk.disconnectNetwork();
    asterisk.reconnectNetwork();
    awaitConnected();
    asterisk.emit(APP, "after the outage");
    awaitReceived(1);
  }

  @Test
  void treatsPartialMessageAsActivity() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("localhost"))) {
      context.addRoutes(
          new RouteBuilder() {
            @Override
            public void configure() {
              from("ahc-ws:localhost:%d/x?pingInterval=100&pongTimeout=1000"
                      .formatted(server.getLocalPort()))
                  .process(exchange -> received.add(exchange.getMessage().getBody()));
            }
          });
      context.start();
      Socket socket = RawWebSocketServer.accept(server);
      OutputStream out = socket.getOutputStream();
      // one text frame of 30 bytes that takes longer than pongTimeout to arrive; no pong is sent
      out.write(new byte[] {(byte) 0x81, 30});
      for (int i = 0; i < 30; i++) {
        await().pollDelay(Duration.ofMillis(50)).until(() -> true);
        out.write('x');
        out.flush();
      }
      awaitReceived(1);
    }
  }
}
