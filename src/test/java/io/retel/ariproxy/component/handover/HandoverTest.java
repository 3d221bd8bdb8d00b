package io.retel.ariproxy.component.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.Patience;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.support.AsyncProcessorSupport;
import org.junit.jupiter.api.Test;

/** One route calls another: in its thread, in order, with the answer in the same exchange. */
class HandoverTest extends HandoverTestSupport {

  @Test
  void callsInTheCallersThreadAndInOrder() throws Exception {
    List<Object> called = new ArrayList<>();
    context.addRoutes(calling(""));
    context.addRoutes(
        called(
            CALLED,
            exchange -> {
              called.add(exchange.getMessage().getBody());
              exchange.getMessage().setBody(Thread.currentThread());
            }));
    context.start();
    for (int i = 0; i < 1_000; i++) {
      assertThat(send(i).getMessage().getBody()).isEqualTo(Thread.currentThread());
    }
    assertThat(called)
        .containsExactlyElementsOf(IntStream.range(0, 1_000).boxed().map(i -> (Object) i).toList());
  }

  @Test
  void waitsForAnAsynchronousRoute() throws Exception {
    ScheduledExecutorService others = Executors.newScheduledThreadPool(1);
    try {
      context.addRoutes(calling(""));
      context.addRoutes(
          called(
              CALLED,
              new AsyncProcessorSupport() {
                @Override
                public boolean process(Exchange exchange, AsyncCallback callback) {
                  others.schedule(
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
      others.shutdown();
    }
  }

  @Test
  void failsTheCallersExchangeIfTheCalledRouteFails() throws Exception {
    context.addRoutes(calling(""));
    context.addRoutes(
        called(
            CALLED,
            exchange -> {
              throw new IllegalStateException("the called route fails");
            }));
    context.start();
    assertThat(send(0).getException()).hasMessage("the called route fails");
    assertThat(send(1).getException()).hasMessage("the called route fails");
  }

  @Test
  void failsIfNoRouteConsumesInTime() throws Exception {
    context.addRoutes(calling("?timeout=100"));
    context.start();
    assertThat(send(0).getException())
        .hasMessageContaining("No running route consumes from")
        .hasMessageContaining("handover://seam")
        .hasMessageContaining("100 ms");
  }

  @Test
  void failsClearlyIfTheRouteIsStoppedByForceMeanwhile() throws Exception {
    context.addRoutes(calling("?timeout=100"));
    context.start();
    // entered, and the consumer gone
    context.getComponent("handover", HandoverComponent.class).seam("seam").turnstile.open();
    assertThat(send(0).getException()).hasMessageContaining("No running route consumes from");
  }

  @Test
  void goesOnAfterARouteThatHangsIsStoppedByForce() throws Exception {
    CountDownLatch hanging = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    context.addRoutes(calling(""));
    context.addRoutes(
        called(
            CALLED,
            exchange -> {
              hanging.countDown();
              released.await();
            }));
    context.start();
    CompletableFuture<Exchange> hangs = Async.supply(() -> send(0));
    hanging.await();
    context.getRouteController().stopRoute(CALLED, 1, TimeUnit.SECONDS);
    CompletableFuture<Exchange> waits = Async.supply(() -> send(1));
    context.removeRoute(CALLED);
    context.addRoutes(called(CALLED, exchange -> exchange.getMessage().setBody("new")));
    assertThat(waits.get(Patience.SECONDS, TimeUnit.SECONDS).getMessage().getBody())
        .isEqualTo("new");
    released.countDown();
    assertThat(hangs).succeedsWithin(Patience.LIMIT);
  }

  @Test
  void waitsForTheRouteToStart() throws Exception {
    context.addRoutes(calling(""));
    context.start();
    CompletableFuture<Exchange> waiting = Async.supply(() -> send(0));
    await().until(() -> context.getInflightRepository().size() == 1);
    assertThat(waiting).isNotDone();
    context.addRoutes(called(CALLED, exchange -> exchange.getMessage().setBody("answer")));
    assertThat(waiting).succeedsWithin(Patience.LIMIT);
    assertThat(waiting.get().getMessage().getBody()).isEqualTo("answer");
  }

  @Test
  void refusesASecondConsumer() throws Exception {
    context.addRoutes(calling(""));
    context.addRoutes(called(CALLED, exchange -> exchange.getMessage().setBody("first")));
    context.start();
    assertThatThrownBy(
            () -> context.addRoutes(called("second", exchange -> exchange.getMessage().setBody(2))))
        .hasMessageContaining("Multiple consumers for the same endpoint is not allowed");
    assertThat(send(0).getMessage().getBody()).isEqualTo("first");
    context.getRouteController().stopRoute("second");
    context.removeRoute("second");
    assertThat(send(0).getMessage().getBody()).as("it leaves the seam open").isEqualTo("first");
  }

  @Test
  void refusesASecondConsumerWithOtherOptions() throws Exception {
    context.addRoutes(calling(""));
    context.addRoutes(called(CALLED, exchange -> exchange.getMessage().setBody("first")));
    context.start();
    assertThatThrownBy(
            () ->
                context.addRoutes(
                    new RouteBuilder() {
                      @Override
                      public void configure() {
                        from("handover:seam?timeout=1").process(exchange -> {});
                      }
                    }))
        .hasMessageContaining("Another route already consumes from");
    assertThat(send(0).getMessage().getBody()).isEqualTo("first");
  }

  @Test
  void isServedToTheEndWhenTheContextStops() throws Exception {
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
                .to("handover:seam");
          }
        });
    context.addRoutes(called(CALLED, exchange -> exchange.getMessage().setBody("answer")));
    context.start();
    CompletableFuture<Exchange> call = Async.supply(() -> send(0));
    called.await();
    CompletableFuture<Void> stop = Async.run(context::stop);
    await().until(context::isStopping);
    stopping.countDown();
    assertThat(call.get(Patience.SECONDS, TimeUnit.SECONDS).getException()).isNull();
    assertThat(call.get().getMessage().getBody()).isEqualTo("answer");
    assertThat(stop).succeedsWithin(Patience.LIMIT);
  }
}
