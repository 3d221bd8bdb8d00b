package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.Patience;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

/** The context stops: no new messages, those read before are worked off, nothing is left behind. */
class AhcWsComponentStopTest extends AhcWsTestSupport {

  /** Less than Camel waits for what does not end, with time for a slow machine. */
  private static final Duration AT_ONCE = Duration.ofSeconds(30);

  @Test
  void worksOffWhatHasBeenRead() throws Exception {
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
    // the websocket goes first
    await().until(() -> asterisk.websocketsOpen() == 0);
    assertThat(stop).isNotDone();
    blocked.countDown();
    assertThat(stop).succeedsWithin(Patience.LIMIT);
    assertThat(received).hasSize(500);
  }

  @Test
  void leavesNoThreadBehind() throws Exception {
    Set<String> before = threads();
    startConnected("pingInterval=20");
    asterisk.emit(APP, "hello");
    awaitReceived(1);
    stopAtOnce();
    await()
        .untilAsserted(
            () ->
                assertThat(threads())
                    .filteredOn(name -> name.contains("amel") || name.contains("websocket"))
                    .allMatch(before::contains));
    await().until(() -> asterisk.connectionsOpen() == 0);
  }

  @Test
  void stopsWhileTheServerIsGone() throws Exception {
    startConnected("");
    asterisk.unplug();
    stopAtOnce();
    asterisk.plugIn();
    await().during(Duration.ofMillis(500)).until(() -> asterisk.websocketsOpen() == 0);
    assertThat(asterisk.websocketsTotal()).isEqualTo(1);
  }

  @Test
  void stopsWhileTheServerIsSilent() throws Exception {
    startConnected("");
    Runnable revive = asterisk.websocket(APP).freeze();
    stopAtOnce();
    revive.run();
    await().until(() -> asterisk.connectionsOpen() == 0);
  }

  @Test
  void stopsWhileAnUpgradeIsUnderWay() throws Exception {
    Fault hang = asterisk.faults().hang(request -> request.path().equals("/events"));
    context.addRoutes(route("", exchange -> {}));
    context.start();
    hang.awaitHits(1);
    stopAtOnce();
    hang.lift();
    await().until(() -> asterisk.connectionsOpen() == 0);
    assertThat(asterisk.websocketsOpen()).isZero();
  }

  @Test
  void leavesNoOrphanWhenStoppedAtAnyMoment() throws Exception {
    for (int i = 0; i < 20; i++) {
      DefaultCamelContext other = new DefaultCamelContext();
      other.disableJMX();
      AhcWsComponent component = other.getComponent("ahc-ws", AhcWsComponent.class);
      component.setUsername(asterisk.username());
      component.setPassword(asterisk.password());
      other.addRoutes(route("", exchange -> {}));
      other.start();
      // at another moment each time: before, during or after the connect
      long until = System.nanoTime() + i * 2_000_000L;
      while (System.nanoTime() < until) {
        Thread.onSpinWait();
      }
      other.stop();
    }
    await().until(() -> asterisk.connectionsOpen() == 0);
    await()
        .during(Duration.ofMillis(300))
        .until(() -> asterisk.websocketsOpen() == 0 && asterisk.connectionsOpen() == 0);
  }

  @Test
  void stopsWhileAConnectIsUnderWay() throws Exception {
    // it accepts, by its backlog, and never answers
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
      stopAtOnce();
    }
  }

  @Test
  void closesTheSocketThoughTheTimerIsBusy() throws Exception {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    CountDownLatch busy = new CountDownLatch(1);
    try {
      AhcWsEndpoint endpoint = context.getEndpoint(uri(""), AhcWsEndpoint.class);
      WebSocketConnection connection =
          new WebSocketConnection(
              endpoint.getHttpUri(),
              endpoint.getConfiguration(),
              new MessageBuffer(1_000),
              ConnectionState.initial(),
              timer,
              context);
      connection.open();
      asterisk.awaitConnected(APP);
      await().until(() -> connection.state().connected());
      timer.execute(
          () -> {
            try {
              busy.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
      connection.close();
      await().until(() -> asterisk.connectionsOpen() == 0);
    } finally {
      busy.countDown();
      timer.shutdownNow();
    }
  }

  @Test
  void stopsWithARouteThatHasNotStarted() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("")).routeId(ROUTE).autoStartup(false).process(exchange -> {});
          }
        });
    context.start();
    assertThat(asterisk.websocketsTotal()).isZero();
    stopAtOnce();
  }

  private void stopAtOnce() {
    assertThat(Async.run(context::stop)).succeedsWithin(AT_ONCE);
  }

  private static Set<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .collect(Collectors.toSet());
  }
}
