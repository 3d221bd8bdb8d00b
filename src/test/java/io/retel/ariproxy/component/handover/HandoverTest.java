// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.Suspendable;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;
import org.junit.jupiter.api.Test;

/** Synchronous calls: in the caller's thread, in order, with the result in the same exchange. */
class HandoverTest extends HandoverTestSupport {

  @Test
  void callsInCallerThreadInOrder() throws Exception {
    List<Object> received = new ArrayList<>();
    context.addRoutes(callerRoute(""));
    context.addRoutes(
        calledRoute(
            CALLED,
            exchange -> {
              received.add(exchange.getMessage().getBody());
              exchange.getMessage().setBody(Thread.currentThread());
            }));
    context.start();
    for (int i = 0; i < 1_000; i++) {
      assertThat(send(i).getMessage().getBody()).isEqualTo(Thread.currentThread());
    }
    assertThat(received)
        .containsExactlyElementsOf(IntStream.range(0, 1_000).boxed().map(i -> (Object) i).toList());
  }

  @Test
  void waitsForAsynchronousRoute() throws Exception {
    ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);
    try {
      context.addRoutes(callerRoute(""));
      context.addRoutes(
          calledRoute(
              CALLED,
              new AsyncProcessorSupport() {
                @Override
                public boolean process(Exchange exchange, AsyncCallback callback) {
                  scheduler.schedule(
                      () -> {
                        exchange.getMessage().setBody(Thread.currentThread());
                        callback.done(false);
                      },
                      50,
                      TimeUnit.MILLISECONDS);
                  return false;
                }
              }));
      context.start();
      assertThat(send(0).getMessage().getBody(Thread.class)).isNotEqualTo(Thread.currentThread());
    } finally {
      scheduler.shutdown();
    }
  }

  @Test
  void propagatesFailureToCaller() throws Exception {
    context.addRoutes(callerRoute(""));
    context.addRoutes(
        calledRoute(
            CALLED,
            exchange -> {
              throw new IllegalStateException("the called route fails");
            }));
    context.start();
    assertThat(send(0).getException()).hasMessage("the called route fails");
    assertThat(send(1).getException()).hasMessage("the called route fails");
  }

  @Test
  void failsWithoutConsumerAfterTimeout() throws Exception {
    context.addRoutes(callerRoute("?timeout=100"));
    context.start();
    assertThat(send(0).getException())
        .hasMessageContaining("No running route consumes from")
        .hasMessageContaining("handover://point")
        .hasMessageContaining("100 ms");
  }

  @Test
  void failsWithClearErrorAfterForcedStop() throws Exception {
    context.addRoutes(callerRoute("?timeout=100"));
    context.start();
    // the gate is open without a consumer
    context.getComponent("handover", HandoverComponent.class).handoverPoint("point").gate.open();
    assertThat(send(0).getException()).hasMessageContaining("No running route consumes from");
  }

  @Test
  void continuesAfterForcedStopOfHangingRoute() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    context.addRoutes(callerRoute(""));
    context.addRoutes(
        calledRoute(
            CALLED,
            exchange -> {
              hanging.countDown();
              released.await();
            }));
    context.start();
    CompletableFuture<Exchange> hangingCall = Async.supply(() -> send(0));
    hanging.await();
    context.getRouteController().stopRoute(CALLED, 1, TimeUnit.SECONDS);
    CompletableFuture<Exchange> waitingCall = Async.supply(() -> send(1));
    context.removeRoute(CALLED);
    context.addRoutes(calledRoute(CALLED, exchange -> exchange.getMessage().setBody("new")));
    assertThat(waitingCall.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS).getMessage().getBody())
        .isEqualTo("new");
    released.countDown();
    assertThat(hangingCall).succeedsWithin(DefaultTimeout.DURATION);
  }

  @Test
  void waitsForRouteStart() throws Exception {
    context.addRoutes(callerRoute(""));
    context.start();
    CompletableFuture<Exchange> waiting = Async.supply(() -> send(0));
    await().until(() -> context.getInflightRepository().size() == 1);
    assertThat(waiting).isNotDone();
    context.addRoutes(calledRoute(CALLED, exchange -> exchange.getMessage().setBody("result")));
    assertThat(waiting).succeedsWithin(DefaultTimeout.DURATION);
    assertThat(waiting.get().getMessage().getBody()).isEqualTo("result");
  }

  @Test
  void rejectsSecondConsumer() throws Exception {
    context.addRoutes(callerRoute(""));
    context.addRoutes(calledRoute(CALLED, exchange -> exchange.getMessage().setBody("first")));
    context.start();
    assertThatThrownBy(
            () ->
                context.addRoutes(
                    calledRoute("second", exchange -> exchange.getMessage().setBody(2))))
        .hasMessageContaining("Multiple consumers for the same endpoint is not allowed");
    assertThat(send(0).getMessage().getBody()).isEqualTo("first");
    context.getRouteController().stopRoute("second");
    context.removeRoute("second");
    assertThat(send(0).getMessage().getBody())
        .as("rejected consumer does not close the gate")
        .isEqualTo("first");
  }

  @Test
  void rejectsSecondConsumerWithOtherOptions() throws Exception {
    context.addRoutes(callerRoute(""));
    context.addRoutes(calledRoute(CALLED, exchange -> exchange.getMessage().setBody("first")));
    context.start();
    assertThatThrownBy(
            () ->
                context.addRoutes(
                    new RouteBuilder() {
                      @Override
                      public void configure() {
                        from("handover:point?timeout=1").process(exchange -> {});
                      }
                    }))
        .hasMessageContaining("Another route already consumes from");
    assertThat(send(0).getMessage().getBody()).isEqualTo("first");
  }

  @Test
  void completesCallWhileContextStops() throws Exception {
    CountDownLatch called = new CountDownLatch(1);
    CountDownLatch stopping = new CountDownLatch(1);
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            errorHandler(noErrorHandler());
            from("direct:calling")
                .process(
                    exchange -> {
                      called.countDown();
                      stopping.await();
                    })
                .to("handover:point");
          }
        });
    context.addRoutes(calledRoute(CALLED, exchange -> exchange.getMessage().setBody("result")));
    context.start();
    CompletableFuture<Exchange> call = Async.supply(() -> send(0));
    called.await();
    CompletableFuture<Void> stop = Async.run(context::stop);
    await().until(context::isStopping);
    stopping.countDown();
    assertThat(call.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS).getException()).isNull();
    assertThat(call.get().getMessage().getBody()).isEqualTo("result");
    assertThat(stop).succeedsWithin(DefaultTimeout.DURATION);
  }

  /** Such as a Kafka consumer with the records of a poll: they are not in flight. */
  @Test
  void completesCallOfConsumerThatStopsLater() throws Exception {
    List<Object> received = new CopyOnWriteArrayList<>();
    context.addComponent("sends-at-stop", new SendsAtStop());
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            errorHandler(noErrorHandler());
            from("sends-at-stop:x").startupOrder(1).to("handover:point");
          }
        });
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            // stops before the other one
            from("handover:point")
                .startupOrder(2)
                .process(exchange -> received.add(exchange.getMessage().getBody()));
          }
        });
    context.start();
    long start = System.nanoTime();
    context.stop();
    assertThat(received).containsExactly("at stop");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isLessThan(Duration.ofSeconds(context.getShutdownStrategy().getTimeout()));
  }

  /** Its consumer sends a message while it stops. */
  private static final class SendsAtStop extends DefaultComponent {

    @Override
    protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> options) {
      return new DefaultEndpoint(uri, this) {
        @Override
        public Producer createProducer() {
          throw new UnsupportedOperationException();
        }

        @Override
        public Consumer createConsumer(Processor processor) {
          return new SuspendableConsumer(this, processor);
        }
      };
    }
  }

  private static final class SuspendableConsumer extends DefaultConsumer implements Suspendable {

    SuspendableConsumer(Endpoint endpoint, Processor processor) {
      super(endpoint, processor);
    }

    @Override
    protected void doStop() throws Exception {
      Exchange exchange = createExchange(true);
      exchange.getMessage().setBody("at stop");
      getProcessor().process(exchange);
      super.doStop();
    }
  }
}
