// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.builder.RouteBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requested reconnects, and the counters of replaced connections. */
class AhcWsComponentReconnectTest extends AhcWsTestSupport {

  @Test
  void closesAndReopensWebsocket() throws Exception {
    startConnected("");
    try (CapturedLog log = new CapturedLog()) {
      component().reconnect("requested by operator");
      await().until(() -> status().reconnects() == 1 && status().connected());
      assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
      assertThat(asterisk.openWebsocketCount()).isOne();
      assertThat(status().lastError()).isEqualTo("requested by operator");
      assertThat(log.lines(Level.WARN))
          .singleElement()
          .asString()
          .endsWith("/ari/events: requested by operator; reconnecting");
      // a requested close is not a failed attempt
      assertThat(status().failures()).isZero();
      assertThat(lastConnectLine(log)).matches("Connected to ws://\\S+ after \\d s");
    }
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  @Test
  void logsFailedAttemptsSinceTheLoss() throws Exception {
    startConnected("");
    try (CapturedLog log = new CapturedLog()) {
      Fault refusal = asterisk.faults().rejectUpgrades(503).maxHits(1);
      component().reconnect("requested by operator");
      await().until(() -> status().reconnects() == 1 && status().connected());
      refusal.clear();
      assertThat(lastConnectLine(log))
          .matches("Connected to ws://\\S+ after \\d+ s and 1 failed attempt");
    }
  }

  private static String lastConnectLine(CapturedLog log) {
    await()
        .until(() -> log.lines(Level.INFO).stream().anyMatch(line -> line.startsWith("Connected")));
    return log.lines(Level.INFO).stream()
        .filter(line -> line.startsWith("Connected"))
        .reduce((earlier, later) -> later)
        .orElseThrow();
  }

  @Test
  void retriesImmediatelyWhenNotOpen() throws Exception {
    Fault refusal = asterisk.faults().rejectUpgrades(401);
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("refusedMaximumDelay=600000")
                    .replaceAll("(reconnect\\w+Delay)=\\d+", "$1=600000"))
                .process(exchange -> received.add(exchange.getMessage().getBody()));
          }
        });
    context.start();
    await().until(() -> status().failures() == 1);
    component().reconnect("the password was wrong");
    await().until(() -> status().failures() == 2);
    refusal.clear();
    component().reconnect("now it is right");
    awaitConnected();
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  @Test
  void reopensWebsocketIfRequestUriChangesDuringConnect() throws Exception {
    AtomicBoolean changed = new AtomicBoolean();
    component()
        .setRequestUri(uri -> URI.create(changed.get() ? uri + "&subscribeAll=true" : "" + uri));
    Fault hang = asterisk.faults().hang(request -> request.matches("GET", "/events")).maxHits(1);
    context.addRoutes(
        route("", exchange -> received.add(exchange.getMessage().getBody(String.class))));
    context.start();
    hang.awaitHits(1);
    changed.set(true);
    component().reconnect("reclaimed");
    hang.clear();
    await().until(() -> status().reconnects() == 1 && status().connected());
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
    assertThat(status().lastError()).isEqualTo("Address to request has changed");
    awaitConnected();
    asterisk.emit(APP, "hello");
    awaitReceived(1);
  }

  /** The message decides the next request, although the route is behind. */
  @Test
  void reportsTextBeforeReconnectWhileRouteIsBlocked() throws Exception {
    AtomicBoolean replaced = new AtomicBoolean();
    component().setOnText(text -> replaced.set(text.equals("replaced")));
    component()
        .setRequestUri(uri -> URI.create(replaced.get() ? uri + "&subscribeAll=true" : "" + uri));
    CountDownLatch unblocked = new CountDownLatch(1);
    startConnected(
        "",
        exchange -> {
          unblocked.await();
          received.add(exchange.getMessage().getBody());
        });
    try {
      asterisk.emit(APP, "before");
      asterisk.emit(APP, "replaced");
      await().untilTrue(replaced);
      asterisk.dropConnections();
      await().until(() -> status().reconnects() == 1 && status().connected());
      assertThat(received).isEmpty();
      assertThat(asterisk.requests().get(1).uri()).contains("subscribeAll=true");
    } finally {
      unblocked.countDown();
    }
    awaitReceived(2);
    assertThat(received).containsExactly("before", "replaced");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pingInterval=5000", "subscribeAll=true"})
  void retainsCountersWhenEditReplacesConnection(String edited) throws Exception {
    startConnected("");
    component().reconnect("requested by operator");
    await().until(() -> status().reconnects() == 1 && status().connected());
    Duration gaps = status().totalGap();
    stopAndRemove(ROUTE);
    context.addRoutes(route(edited, exchange -> {}));
    await().until(() -> status().connected());
    assertThat(status().reconnects()).isEqualTo(2);
    assertThat(status().totalGap()).isGreaterThanOrEqualTo(gaps);
    assertThat(status().lastError()).isEqualTo("Websocket closed by the proxy");
  }

  @Test
  void addsCountersOfAbsorbedConnection() throws Exception {
    startConnected("");
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("subscribeAll=true")).routeId("other").process(exchange -> {});
          }
        });
    await()
        .until(() -> component().status().stream().filter(WebSocketStatus::connected).count() == 2);
    component().reconnect("requested by operator");
    await()
        .until(
            () ->
                component().status().stream()
                    .allMatch(status -> status.connected() && status.reconnects() == 1));
    context.getRouteController().stopRoute(ROUTE);
    stopAndRemove("other");
    context.getRouteController().startRoute(ROUTE);
    assertThat(component().status()).hasSize(1);
    // opened four times in total
    await().until(() -> status().reconnects() == 3);
  }

  private void stopAndRemove(String route) throws Exception {
    context.getRouteController().stopRoute(route);
    context.removeRoute(route);
  }

  private AhcWsComponent component() {
    return context.getComponent("ahc-ws", AhcWsComponent.class);
  }

  private WebSocketStatus status() {
    List<WebSocketStatus> all = component().status();
    assertThat(all).hasSize(1);
    return all.get(0);
  }
}
