// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.concurrent.CompletableFuture;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Mappings are persisted only after earlier events are acknowledged. */
class InFlightEventsTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final InFlightEvents inFlight = new InFlightEvents();

  @BeforeEach
  void start() {
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void waitsForEarlierEventsOnly() throws Exception {
    inFlight.awaitAcknowledged();
    Exchange first = add();
    CompletableFuture<Void> waiting = awaitInBackground();
    add();
    assertThat(waiting).isNotDone();
    complete(first);
    waiting.join();
  }

  @Test
  void waitsForAllEarlierEventsInAnyOrderOfCompletion() {
    Exchange first = add();
    Exchange second = add();
    Exchange third = add();
    CompletableFuture<Void> waiting = awaitInBackground();
    Exchange later = add();
    complete(second);
    complete(third);
    complete(later);
    assertThat(waiting).isNotDone();
    complete(first);
    waiting.join();
    assertThat(inFlight.count()).isZero();
  }

  @Test
  void doesNotWaitForFailedEvent() throws Exception {
    Exchange failed = add();
    failed.setException(new IllegalStateException("too large"));
    complete(failed);
    inFlight.awaitAcknowledged();
  }

  @Test
  void blocksBehindEventAbortedByShutdown() {
    Exchange aborted = add();
    aborted.setException(new IllegalStateException("closed forcefully"));
    context.stop();
    complete(aborted);
    assertThat(awaitInBackground()).isNotDone();
    assertThat(inFlight.count()).isOne();
  }

  @Test
  void releasesCompletedEventBehindUnacknowledgedOne() {
    Exchange unacknowledged = add();
    Reference<Object> completed = completedEvent();
    await()
        .untilAsserted(
            () -> {
              System.gc();
              assertThat(completed.refersTo(null)).isTrue();
            });
    assertThat(inFlight.count()).isOne();
    assertThat(awaitInBackground()).isNotDone();
    complete(unacknowledged);
    assertThat(inFlight.count()).isZero();
  }

  @Test
  void doesNotWaitForExcludedEvent() {
    Exchange excluded = add();
    CompletableFuture<Void> waiting = awaitInBackground();
    assertThat(waiting).isNotDone();
    inFlight.exclude(excluded);
    waiting.join();
    assertThat(inFlight.count()).isOne();
    complete(excluded);
    assertThat(inFlight.count()).isZero();
  }

  private Reference<Object> completedEvent() {
    Exchange exchange = add();
    Reference<Object> event = new WeakReference<>(exchange.getProperty(InFlightEvents.IN_FLIGHT));
    complete(exchange);
    return event;
  }

  private Exchange add() {
    Exchange exchange = new DefaultExchange(context);
    inFlight.add(exchange);
    // the routes add each event twice
    inFlight.add(exchange);
    return exchange;
  }

  private CompletableFuture<Void> awaitInBackground() {
    CompletableFuture<Thread> thread = new CompletableFuture<>();
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(
            () -> {
              thread.complete(Thread.currentThread());
              try {
                inFlight.awaitAcknowledged();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    await().until(() -> thread.join().getState() == Thread.State.WAITING || waiting.isDone());
    return waiting;
  }

  private static void complete(Exchange exchange) {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }
}
