package io.retel.ariproxy.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CompletableFuture;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is kept waits for what has to be told first. */
class EventsUnderWayTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final EventsUnderWay underWay = new EventsUnderWay();

  @BeforeEach
  void start() {
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void waitsForThoseThatHaveBegunAndForNoOthers() throws Exception {
    underWay.awaitAcknowledged();
    Exchange first = begin();
    CompletableFuture<Void> waiting = waiting();
    begin();
    assertThat(waiting).isNotDone();
    done(first);
    waiting.join();
  }

  @Test
  void oneThatFailsIsWaitedForNoLonger() throws Exception {
    Exchange refused = begin();
    refused.setException(new IllegalStateException("too large"));
    done(refused);
    underWay.awaitAcknowledged();
  }

  @Test
  void behindOneThatAStopLeavesUnpublishedNothingIsKept() {
    Exchange lost = begin();
    lost.setException(new IllegalStateException("closed forcefully"));
    context.stop();
    done(lost);
    assertThat(waiting()).isNotDone();
    assertThat(underWay.count()).isOne();
  }

  private Exchange begin() {
    Exchange exchange = new DefaultExchange(context);
    underWay.begin(exchange);
    // on its way through the routes it comes by twice
    underWay.begin(exchange);
    return exchange;
  }

  private CompletableFuture<Void> waiting() {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(
            () -> {
              thread.complete(Thread.currentThread());
              try {
                underWay.awaitAcknowledged();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    await().until(() -> thread.join().getState() == Thread.State.WAITING || waiting.isDone());
    return waiting;
  }

  private static void done(Exchange exchange) {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }
}
