package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Patience;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The bound on what is under way to Kafka. */
class BoundInFlightTest {

  private static final long BOUND = 100_000;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private boolean givesBack;
  private final BoundInFlight bound = new BoundInFlight(BOUND, () -> givesBack);
  private final ExecutorService threads = Executors.newFixedThreadPool(16);

  @AfterEach
  void stop() {
    threads.shutdownNow();
    context.stop();
  }

  @Test
  void waitsUntilNothingIsOnItsWay() throws Exception {
    assertThat(bound.awaitNothing(Duration.ZERO)).isTrue();
    bound.take(10);
    assertThat(bound.awaitNothing(Duration.ofMillis(1))).isFalse();
    Future<Boolean> waiting = threads.submit(() -> bound.awaitNothing(Patience.LIMIT));
    bound.giveBack(10);
    assertThat(waiting.get(Patience.SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void whoGivesBackDoesNotWaitForItself() throws Exception {
    bound.take(BOUND);
    givesBack = true;
    bound.take(10);
    assertThat(bound.taken()).isEqualTo(BOUND + 10);
  }

  @Test
  void holdsUnderManyThreads() throws Exception {
    AtomicLong most = new AtomicLong();
    List<Future<?>> work = new ArrayList<>();
    for (int thread = 0; thread < 16; thread++) {
      Random random = new Random(thread);
      work.add(
          threads.submit(
              () -> {
                for (int i = 0; i < 500; i++) {
                  Exchange exchange = exchange(random.nextInt(40_000));
                  bound.process(exchange);
                  most.accumulateAndGet(bound.taken(), Math::max);
                  done(exchange);
                }
                return null;
              }));
    }
    for (Future<?> done : work) {
      done.get(Patience.SECONDS, TimeUnit.SECONDS);
    }
    assertThat(most.get()).isPositive().isLessThanOrEqualTo(BOUND);
    assertThat(bound.taken()).isZero();
  }

  @Test
  void weighsTheBodyTwiceAndTheExchangeToo() throws Exception {
    bound.process(exchange(10_000));
    assertThat(bound.taken()).isEqualTo(24_096);
  }

  @Test
  void whatIsTooHeavyGoesAlone() throws Exception {
    Exchange small = exchange(10);
    Exchange heavy = exchange(10_000_000);
    bound.process(small);
    Thread waiting =
        new Thread(() -> assertThatCode(() -> bound.process(heavy)).doesNotThrowAnyException());
    waiting.start();
    await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    assertThat(bound.taken()).isEqualTo(4_116);

    done(small);
    waiting.join();
    assertThat(bound.taken()).isEqualTo(BOUND);
    done(heavy);
    assertThat(bound.taken()).isZero();
  }

  @Test
  void givesBackWhatFailed() throws Exception {
    Exchange failed = exchange(10);
    bound.process(failed);
    failed.setException(new IllegalStateException("not taken"));
    done(failed);
    assertThat(bound.taken()).isZero();
  }

  @Test
  void takesNothingWhenInterrupted() throws Exception {
    bound.process(exchange(10_000_000));
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> bound.process(exchange(10))).isInstanceOf(InterruptedException.class);
    assertThat(bound.taken()).isEqualTo(BOUND);
  }

  @Test
  void aSecondAttemptOfTheSameMessageDoesNotWaitForItsFirst() throws Exception {
    Exchange refused = exchange(10_000_000);
    bound.process(refused);
    refused.getMessage().setBody(new byte[100]);
    goes(refused).get(Patience.SECONDS, TimeUnit.SECONDS);
    assertThat(bound.taken()).isEqualTo(4_296);
    done(refused);
    assertThat(bound.taken()).isZero();
  }

  private Future<?> goes(Exchange exchange) {
    return threads.submit(
        () -> {
          bound.process(exchange);
          return null;
        });
  }

  private Exchange exchange(int size) {
    Exchange exchange = new DefaultExchange(context);
    exchange.getMessage().setBody(new byte[size]);
    return exchange;
  }

  private static void done(Exchange exchange) {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }
}
