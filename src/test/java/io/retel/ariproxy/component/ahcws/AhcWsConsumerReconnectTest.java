// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.CapturedLog;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.health.HealthCheck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Connects when the server is up, and reconnects after every loss. */
class AhcWsConsumerReconnectTest extends AhcWsTestSupport {

  @Test
  void connectsWhenServerBecomesReachable() throws Exception {
    asterisk.disconnectNetwork();
    context.addRoutes(
        route("", exchange -> received.add(exchange.getMessage().getBody(String.class))));
    context.start();
    HealthCheck.Result down = awaitHealth(HealthCheck.State.DOWN);
    await().until(() -> health().getMessage().orElse("").contains("is not reachable: "));
    assertThat(down.getDetails()).containsKey("since");
    asterisk.reconnectNetwork();
    awaitConnected();
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void reconnectsAfterServerRestart(boolean cleanStop) throws Exception {
    startConnected("");
    for (int restarts = 1; restarts <= 3; restarts++) {
      if (cleanStop) {
        asterisk.stop();
      } else {
        asterisk.kill();
      }
      awaitHealth(HealthCheck.State.DOWN);
      asterisk.restart();
      awaitConnected();
      asterisk.emit(APP, "after restart " + restarts);
      awaitReceived(restarts);
    }
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(4);
  }

  @Test
  void reconnectsAfterAbruptDisconnect() throws Exception {
    startConnected("");
    asterisk.dropConnections();
    await().until(() -> asterisk.totalWebsocketCount() == 2);
    awaitConnected();
    assertThat(asterisk.openWebsocketCount()).isEqualTo(1);
    asterisk.emit(APP, "after the cut");
    awaitReceived(1);
  }

  @Test
  void reconnectsAfterCloseFrame() throws Exception {
    startConnected("");
    try (CapturedLog log = new CapturedLog()) {
      asterisk.websocketFaults(APP).close(1011, "internal error");
      await().until(() -> asterisk.totalWebsocketCount() == 2);
      awaitConnected();
      assertThat(log.events())
          .anyMatch(event -> event.getFormattedMessage().contains("internal error (code 1011)"));
    }
  }

  @Test
  void backsOffWhenServerClosesImmediately() throws Exception {
    asterisk.close();
    AtomicInteger connections = new AtomicInteger();
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("localhost"))) {
      Thread closer =
          new Thread(
              () -> {
                try {
                  while (true) {
                    RawWebSocketServer.accept(server).close();
                    connections.incrementAndGet();
                  }
                } catch (java.io.IOException e) {
                  // the test is over
                }
              });
      closer.start();
      context.addRoutes(
          new org.apache.camel.builder.RouteBuilder() {
            @Override
            public void configure() {
              from("ahc-ws:localhost:" + server.getLocalPort() + "/x?reconnectInitialDelay=100")
                  .process(exchange -> {});
            }
          });
      context.start();
      long start = System.nanoTime();
      await().until(() -> connections.get() == 5);
      // at least 50 + 100 + 200 + 400 ms: half of the delays without jitter
      assertThat(System.nanoTime() - start).isGreaterThan(700_000_000L);
    }
  }
}
