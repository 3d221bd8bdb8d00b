// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.asterisk.Flood;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.junit.jupiter.api.Test;

/**
 * Stops, replacements and edits of the route under load: the websocket stays open and no message is
 * lost.
 */
class AhcWsRouteReloadTest extends AhcWsTestSupport {

  private static final int EVENTS_PER_SECOND = 2_000;
  private static final int EDITS = 5;

  private interface Edit {
    void apply(int number) throws Exception;
  }

  private final FloodSink sink = new FloodSink();

  /** Applies the edits one by one during a flood. */
  private void editUnderLoad(Edit edit) throws Exception {
    Flood flood = asterisk.flood(APP, 2 * EVENTS_PER_SECOND, EVENTS_PER_SECOND, 3);
    for (int i = 1; i <= EDITS; i++) {
      long before = sink.count();
      edit.apply(i);
      await().until(() -> sink.count() > before || flood.isDone());
    }
    sink.awaitAll(2 * EVENTS_PER_SECOND);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
    assertThat(asterisk.discardedEventCount(APP)).isZero();
  }

  @Test
  void losesNothingWhenStoppedAndStarted() throws Exception {
    startConnected("", sink);
    editUnderLoad(
        number -> {
          context.getRouteController().stopRoute(ROUTE);
          context.getRouteController().startRoute(ROUTE);
        });
  }

  @Test
  void losesNothingWhenSuspendedAndResumed() throws Exception {
    startConnected("", sink);
    editUnderLoad(
        number -> {
          context.getRouteController().suspendRoute(ROUTE);
          context.getRouteController().resumeRoute(ROUTE);
        });
  }

  @Test
  void losesNothingWhenContextIsSuspendedAndResumed() throws Exception {
    startConnected("", sink);
    editUnderLoad(
        number -> {
          context.suspend();
          context.resume();
        });
  }

  @Test
  void losesNothingWhenReplaced() throws Exception {
    startConnected("", sink);
    editUnderLoad(
        number -> {
          context.getRouteController().stopRoute(ROUTE);
          context.removeRoute(ROUTE);
          context.addRoutes(route("", sink));
        });
  }

  @Test
  void losesNothingWhenYamlRouteIsEdited() throws Exception {
    context.getRegistry().bind("sink", sink);
    context.start();
    updateRoute(0);
    awaitConnected();
    editUnderLoad(this::updateRoute);
    assertThat(context.getRoute(ROUTE).getDescription()).isEqualTo("edit " + EDITS);
  }

  @Test
  void losesNothingWhenAsynchronousRouteIsEdited() throws Exception {
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      context.getRegistry().bind("sink", new AsyncSink(sink, executor));
      context.start();
      updateRoute(0);
      awaitConnected();
      editUnderLoad(this::updateRoute);
    } finally {
      executor.shutdown();
    }
  }

  @Test
  void retainsBufferedMessagesWhenConnectionOptionChanges() throws Exception {
    startConnected("pingInterval=5000");
    context.getRouteController().suspendRoute(ROUTE);
    IntStream.range(0, 1_000).forEach(i -> asterisk.emit(APP, "old " + i));
    await().until(() -> buffered() == 1_000);
    context.getRouteController().stopRoute(ROUTE);
    context.removeRoute(ROUTE);
    context.addRoutes(
        route("pingInterval=50", exchange -> received.add(exchange.getMessage().getBody())));
    await().until(() -> asterisk.totalWebsocketCount() == 2);
    awaitConnected();
    await().until(() -> asterisk.openWebsocketCount() == 1);
    await().until(() -> asterisk.pingsReceived() >= 2);
    asterisk.emit(APP, "new");
    awaitReceived(1_001);
    assertThat(received)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(0, 1_000).mapToObj(i -> i < 1_000 ? "old " + i : "new").toList());
  }

  @Test
  void retainsBufferedMessagesWhenQueryChanges() throws Exception {
    startConnected("");
    context.getRouteController().suspendRoute(ROUTE);
    IntStream.range(0, 100).forEach(i -> asterisk.emit(APP, "old " + i));
    await().until(() -> buffered() == 100);
    context.getRouteController().stopRoute(ROUTE);
    context.removeRoute(ROUTE);
    context.addRoutes(
        route("subscribeAll=true", exchange -> received.add(exchange.getMessage().getBody())));
    await().until(() -> asterisk.totalWebsocketCount() == 2);
    awaitConnected();
    await().until(() -> asterisk.openWebsocketCount() == 1);
    asterisk.emit(APP, "new");
    awaitReceived(101);
    assertThat(received)
        .containsExactlyElementsOf(
            IntStream.rangeClosed(0, 100).mapToObj(i -> i < 100 ? "old " + i : "new").toList());
  }

  /** The former server would otherwise keep an application that nobody serves. */
  @Test
  void closesFormerWebsocketWhenAddressChanges() throws Exception {
    startConnected("");
    context.getRouteController().suspendRoute(ROUTE);
    asterisk.emit(APP, "old");
    await().until(() -> buffered() == 1);
    context.getRouteController().stopRoute(ROUTE);
    context.removeRoute(ROUTE);
    try (SimulatedAsterisk other = SimulatedAsterisk.start()) {
      String uri = uri("").replace(":" + asterisk.port() + "/", ":" + other.port() + "/");
      context.addRoutes(
          new RouteBuilder() {
            @Override
            public void configure() {
              from(uri)
                  .routeId(ROUTE)
                  .process(exchange -> received.add(exchange.getMessage().getBody()));
            }
          });
      other.awaitConnected(APP);
      await().until(() -> asterisk.openWebsocketCount() == 0);
      other.emit(APP, "new");
      awaitReceived(2);
      assertThat(received).containsExactly("old", "new");
      assertThat(HealthCheckRegistry.get(context).getCheckIDs())
          .filteredOn(id -> id.startsWith("websocket:"))
          .containsExactly("websocket:ws://localhost:" + other.port() + "/ari/events");
      context.stop();
    }
  }

  @Test
  void continuesAfterForcedStopOfHangingMessage() throws Exception {
    startConnected(
        "",
        exchange -> {
          Object body = exchange.getMessage().getBody();
          received.add(body);
          if (body.equals("hangs")) {
            new CountDownLatch(1).await();
          }
        });
    asterisk.emit(APP, "hangs");
    asterisk.emit(APP, "waits");
    awaitReceived(1);
    context.getRouteController().stopRoute(ROUTE, 1, TimeUnit.SECONDS);
    context.getRouteController().startRoute(ROUTE);
    awaitReceived(2);
    assertThat(received).containsExactly("hangs", "waits");
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
  }

  @Test
  void rejectsSecondRouteForSameAddress() throws Exception {
    startConnected("");
    RouteBuilder second =
        new RouteBuilder() {
          @Override
          public void configure() {
            from(uri("pingInterval=1234")).routeId("second").process(exchange -> {});
          }
        };
    assertThatThrownBy(() -> context.addRoutes(second))
        .hasMessageContaining("Another route already consumes ws://localhost");
    asterisk.emit(APP, "for the first");
    awaitReceived(1);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(1);
  }

  private int buffered() {
    return ((AhcWsConsumer) context.getRoute(ROUTE).getConsumer()).connection().buffer().size();
  }

  private void updateRoute(int number) throws Exception {
    String yaml =
        """
        - route:
            id: %s
            description: edit %d
            from:
              uri: ahc-ws:localhost:%d/ari/events
              parameters:
                app: %s
              steps:
                - setHeader:
                    name: edit
                    constant: "%d"
                - process:
                    ref: sink
        """
            .formatted(ROUTE, number, asterisk.port(), APP, number);
    PluginHelper.getRoutesLoader(context)
        .updateRoutes(ResourceHelper.fromString("events.camel.yaml", yaml));
  }

  /** Processes the message synchronously and completes the exchange later on another thread. */
  private static final class AsyncSink extends AsyncProcessorSupport {

    private final FloodSink sink;
    private final ExecutorService executor;

    AsyncSink(FloodSink sink, ExecutorService executor) {
      this.sink = sink;
      this.executor = executor;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      sink.process(exchange);
      executor.execute(() -> callback.done(false));
      return false;
    }
  }
}
