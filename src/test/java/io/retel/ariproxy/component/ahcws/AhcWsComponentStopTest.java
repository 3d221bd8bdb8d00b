// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

/** Stop of the context: buffered messages are drained, no new ones arrive, nothing leaks. */
class AhcWsComponentStopTest extends AhcWsTestSupport {

  /** Shorter than Camel's shutdown timeout, with a margin for a slow machine. */
  private static final Duration MAX_STOP_TIME = Duration.ofSeconds(30);

  @Test
  void drainsBufferedMessagesOnStop() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    startConnected(
        "",
        exchange -> {
          blocked.await();
          received.add(exchange.getMessage().getBody());
        });
    IntStream.range(0, 500).forEach(i -> asterisk.emit(APP, "message " + i));
    AhcWsConsumer consumer = (AhcWsConsumer) context.getRoute(ROUTE).getConsumer();
    await().until(() -> consumer.connection().buffer().size() == 499);
    CompletableFuture<Void> stop = Async.run(context::stop);
    // the websocket closes first
    await().until(() -> asterisk.openWebsocketCount() == 0);
    assertThat(stop).isNotDone();
    blocked.countDown();
    assertThat(stop).succeedsWithin(DefaultTimeout.DURATION);
    assertThat(received).hasSize(500);
  }

  @Test
  void leaksNoThreads() throws Exception {
    Set<String> before = threadNames();
    startConnected("pingInterval=20");
    asterisk.emit(APP, "hello");
    awaitReceived(1);
    stopPromptly();
    await()
        .untilAsserted(
            () ->
                assertThat(threadNames())
                    .filteredOn(name -> name.contains("amel") || name.contains("websocket"))
                    .allMatch(before::contains));
    await().until(() -> asterisk.openConnectionCount() == 0);
  }

  @Test
  void stopsWhileServerIsUnreachable() throws Exception {
    startConnected("");
    asterisk.disconnectNetwork();
    stopPromptly();
    asterisk.reconnectNetwork();
    await().during(Duration.ofMillis(500)).until(() -> asterisk.openWebsocketCount() == 0);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
  }

  @Test
  void stopsWhileServerIsUnresponsive() throws Exception {
    startConnected("");
    Runnable revive = asterisk.websocketFaults(APP).freeze();
    stopPromptly();
    revive.run();
    await().until(() -> asterisk.openConnectionCount() == 0);
  }

  @Test
  void stopsDuringUpgrade() throws Exception {
    Fault hang = asterisk.faults().hang(request -> request.path().equals("/events"));
    context.addRoutes(route("", exchange -> {}));
    context.start();
    hang.awaitHits(1);
    stopPromptly();
    hang.clear();
    await().until(() -> asterisk.openConnectionCount() == 0);
    assertThat(asterisk.openWebsocketCount()).isZero();
  }

  @Test
  void leaksNoConnectionWhenStoppedAnytime() throws Exception {
    for (int i = 0; i < 20; i++) {
      DefaultCamelContext other = new DefaultCamelContext();
      other.disableJMX();
      AhcWsComponent component = other.getComponent("ahc-ws", AhcWsComponent.class);
      component.setAuthorization(basicAuth(asterisk.username(), asterisk.password()));
      other.addRoutes(route("", exchange -> {}));
      other.start();
      // at different times: before, during or after the connect
      long deadline = System.nanoTime() + i * 2_000_000L;
      while (System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      other.stop();
    }
    await().until(() -> asterisk.openConnectionCount() == 0);
    await()
        .during(Duration.ofMillis(300))
        .until(() -> asterisk.openWebsocketCount() == 0 && asterisk.openConnectionCount() == 0);
  }

  @Test
  void stopsDuringConnect() throws Exception {
    // connections are accepted by the backlog and never get a response
    try (ServerSocket server = new ServerSocket(0, 50, InetAddress.getByName("localhost"))) {
      context.addRoutes(
          new RouteBuilder() {
            @Override
            public void configure() {
              from("ahc-ws:localhost:" + server.getLocalPort() + "/x").process(exchange -> {});
            }
          });
      context.start();
      server.accept();
      stopPromptly();
    }
  }

  @Test
  void closesSocketWhileSchedulerIsBusy() throws Exception {
    ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    CountDownLatch schedulerReleased = new CountDownLatch(1);
    try {
      AhcWsEndpoint endpoint = context.getEndpoint(uri(""), AhcWsEndpoint.class);
      WebSocketConnection connection =
          new WebSocketConnection(
              endpoint.getHttpUri(),
              UnaryOperator.identity(),
              text -> {},
              endpoint.getConfiguration(),
              new MessageBuffer(1_000),
              ConnectionState.initial(),
              scheduler,
              context,
              lost -> {});
      connection.open();
      asterisk.awaitConnected(APP);
      await().until(() -> connection.state().connected());
      scheduler.execute(
          () -> {
            try {
              schedulerReleased.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      connection.close();
      await().until(() -> asterisk.openConnectionCount() == 0);
    } finally {
      schedulerReleased.countDown();
      scheduler.shutdownNow();
    }
  }

  @Test
  void stopsWithUnstartedRoute() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("")).routeId(ROUTE).autoStartup(false).process(exchange -> {});
          }
        });
    context.start();
    assertThat(asterisk.totalWebsocketCount()).isZero();
    stopPromptly();
  }

  private void stopPromptly() {
    assertThat(Async.run(context::stop)).succeedsWithin(MAX_STOP_TIME);
  }

  private static Set<String> threadNames() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .collect(Collectors.toSet());
  }
}
