// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limit on bytes in flight to Kafka. */
class InFlightLimiterTest {

  private static final long MAX_BYTES = 100_000;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private boolean isReleasingThread;
  private final InFlightLimiter limiter = new InFlightLimiter(MAX_BYTES, () -> isReleasingThread);
  private final ExecutorService threads = Executors.newFixedThreadPool(16);

  @AfterEach
  void stop() {
    threads.shutdownNow();
    context.stop();
  }

  @Test
  void awaitIdleWaitsForRelease() throws Exception {
    assertThat(limiter.awaitIdle(Duration.ZERO)).isTrue();
    InFlightLimiter.Permit permit = limiter.acquire(10);
    assertThat(limiter.awaitIdle(Duration.ofMillis(1))).isFalse();
    Future<Boolean> waiting = threads.submit(() -> limiter.awaitIdle(DefaultTimeout.DURATION));
    permit.release();
    assertThat(waiting.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void awaitCompletionIgnoresLaterMessages() throws Exception {
    assertThat(limiter.awaitCompletion(limiter.latest(), Duration.ZERO)).isTrue();
    InFlightLimiter.Permit first = limiter.acquire(10);
    InFlightLimiter.Permit second = limiter.acquire(10);
    long latest = limiter.latest();
    AtomicReference<Thread> waiter = new AtomicReference<>();
    Future<Boolean> waiting =
        threads.submit(
            () -> {
              waiter.set(Thread.currentThread());
              return limiter.awaitCompletion(latest, DefaultTimeout.DURATION);
            });
    await()
        .until(() -> waiter.get() != null && waiter.get().getState() == Thread.State.TIMED_WAITING);
    InFlightLimiter.Permit later = limiter.acquire(10);
    for (int i = 0; i < 10; i++) {
      limiter.acquire(10).release();
    }
    second.release();
    assertThat(limiter.awaitCompletion(latest, Duration.ofMillis(50))).isFalse();
    assertThat(waiting).isNotDone();

    first.release();
    assertThat(waiting.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(limiter.inFlightBytes()).isEqualTo(10);
    later.release();
    assertThat(limiter.awaitCompletion(limiter.latest(), Duration.ZERO)).isTrue();
  }

  @Test
  void releasingThreadNeverBlocks() throws Exception {
    limiter.acquire(MAX_BYTES);
    isReleasingThread = true;
    limiter.acquire(10);
    assertThat(limiter.inFlightBytes()).isEqualTo(MAX_BYTES + 10);
  }

  @Test
  void limitHoldsUnderConcurrency() throws Exception {
    AtomicLong maxObserved = new AtomicLong();
    List<Future<?>> work = new ArrayList<>();
    for (int thread = 0; thread < 16; thread++) {
      Random random = new Random(thread);
      work.add(
          threads.submit(
              () -> {
                for (int i = 0; i < 500; i++) {
                  Exchange exchange = exchange(random.nextInt(40_000));
                  limiter.process(exchange);
                  maxObserved.accumulateAndGet(limiter.inFlightBytes(), Math::max);
                  complete(exchange);
                }
                return null;
              }));
    }
    for (Future<?> future : work) {
      future.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    }
    assertThat(maxObserved.get()).isPositive().isLessThanOrEqualTo(MAX_BYTES);
    assertThat(limiter.inFlightBytes()).isZero();
  }

  /** The message keeps them until Kafka acknowledges it. */
  @Test
  void countsHeaders() throws Exception {
    InFlightLimiter large = new InFlightLimiter(100 << 20, () -> false);
    Exchange exchange = exchange(10);
    exchange.getMessage().setHeader("customer", "x".repeat(300_000));
    exchange.getMessage().setHeader("picture", new byte[200_000]);
    large.process(exchange);
    assertThat(large.inFlightBytes()).isBetween(500_000L, 1_500_000L);
  }

  /** Each takes an entry of a map and several objects, however short it is. */
  @Test
  void countsManyShortHeaders() throws Exception {
    InFlightLimiter large = new InFlightLimiter(100 << 20, () -> false);
    Exchange exchange = exchange(10);
    for (int i = 0; i < 10_000; i++) {
      exchange.getMessage().setHeader("h" + i, "v");
    }
    large.process(exchange);
    assertThat(large.inFlightBytes()).isBetween(1_300_000L, 2_500_000L);
  }

  /** Each copy of an event becomes a record, with its own objects for the headers. */
  @Test
  void countsHeadersOfEachCopy() throws Exception {
    InFlightLimiter large = new InFlightLimiter(100 << 20, () -> false);
    Exchange exchange = exchange(10);
    OutgoingRecord.prepareCopies(
        exchange, Collections.nCopies(100, new OutgoingRecord("key", 10, () -> new byte[10])));
    large.process(exchange);
    long withoutHeaders = large.inFlightBytes();
    for (int i = 0; i < 100; i++) {
      exchange.getMessage().setHeader("h" + i, (byte[]) null);
    }
    large.process(exchange);
    assertThat(large.inFlightBytes() - withoutHeaders).isGreaterThan(100 * 100 * 96);
  }

  /** The overhead of a message contains its key. */
  @Test
  void countsLongKey() throws Exception {
    Exchange exchange = exchange(10);
    OutgoingRecord.prepare(exchange, "k".repeat(256), new byte[10], false);
    limiter.process(exchange);
    assertThat(limiter.inFlightBytes()).isEqualTo(4_116);

    OutgoingRecord.prepare(exchange, "k".repeat(3_000), new byte[10], false);
    limiter.process(exchange);
    assertThat(limiter.inFlightBytes()).isGreaterThan(4_116 + 6_000);
  }

  @Test
  void countsWholeRegionsOfHeapForLargeBodies() throws Exception {
    InFlightLimiter large = new InFlightLimiter(100 << 20, () -> false);
    large.process(exchange(524_288));
    assertThat(large.inFlightBytes()).isEqualTo(4_096 + 2 * (1 << 20));
  }

  @Test
  void smallMessageDoesNotOvertakeLargeOne() throws Exception {
    InFlightLimiter.Permit first = limiter.acquire(MAX_BYTES - 100);
    Future<InFlightLimiter.Permit> large = threads.submit(() -> limiter.acquire(MAX_BYTES - 10));
    await().until(() -> limiter.waiting() == 1);
    Future<InFlightLimiter.Permit> small = threads.submit(() -> limiter.acquire(20));
    await().until(() -> limiter.waiting() == 2);

    first.release();

    large.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS).release();
    assertThat(small.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isNotNull();
    assertThat(limiter.inFlightBytes()).isEqualTo(20);
  }

  @Test
  void interruptedMessageGivesUpItsTurn() throws Exception {
    limiter.acquire(MAX_BYTES - 100);
    Future<InFlightLimiter.Permit> large = threads.submit(() -> limiter.acquire(MAX_BYTES));
    await().until(() -> limiter.waiting() == 1);
    Future<InFlightLimiter.Permit> small = threads.submit(() -> limiter.acquire(20));
    await().until(() -> limiter.waiting() == 2);

    large.cancel(true);

    assertThat(small.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isNotNull();
  }

  @Test
  void runsActionOnceWhenInFlight() throws Exception {
    Exchange exchange = exchange(10);
    AtomicLong bytesInFlight = new AtomicLong();
    OutgoingRecord.onInFlight(exchange, () -> bytesInFlight.addAndGet(limiter.inFlightBytes()));

    limiter.process(exchange);
    limiter.process(exchange);

    assertThat(bytesInFlight).hasValue(4_116);
  }

  @Test
  void countsBodyTwicePlusExchangeOverhead() throws Exception {
    limiter.process(exchange(10_000));
    assertThat(limiter.inFlightBytes()).isEqualTo(24_096);
  }

  @Test
  void sendsOversizedMessageAlone() throws Exception {
    Exchange small = exchange(10);
    Exchange oversized = exchange(10_000_000);
    limiter.process(small);
    Thread waiting =
        new Thread(
            () -> assertThatCode(() -> limiter.process(oversized)).doesNotThrowAnyException());
    waiting.start();
    await().until(() -> waiting.getState() == Thread.State.TIMED_WAITING);
    assertThat(limiter.inFlightBytes()).isEqualTo(4_116);

    complete(small);
    waiting.join();
    assertThat(limiter.inFlightBytes()).isEqualTo(MAX_BYTES);
    complete(oversized);
    assertThat(limiter.inFlightBytes()).isZero();
  }

  @Test
  void failedExchangeReleasesItsBytes() throws Exception {
    Exchange failed = exchange(10);
    limiter.process(failed);
    failed.setException(new IllegalStateException("rejected"));
    complete(failed);
    assertThat(limiter.inFlightBytes()).isZero();
  }

  @Test
  void acquiresNothingWhenInterrupted() throws Exception {
    limiter.process(exchange(10_000_000));
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> limiter.process(exchange(10)))
        .isInstanceOf(InterruptedException.class);
    assertThat(limiter.inFlightBytes()).isEqualTo(MAX_BYTES);
  }

  @Test
  void secondAttemptReleasesFirstPermit() throws Exception {
    Exchange rejected = exchange(10_000_000);
    limiter.process(rejected);
    rejected.getMessage().setBody(new byte[100]);
    submit(rejected).get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    assertThat(limiter.inFlightBytes()).isEqualTo(4_296);
    complete(rejected);
    assertThat(limiter.inFlightBytes()).isZero();
  }

  private Future<?> submit(Exchange exchange) {
    return threads.submit(
        () -> {
          limiter.process(exchange);
          return null;
        });
  }

  private Exchange exchange(int size) {
    Exchange exchange = new DefaultExchange(context);
    exchange.getMessage().setBody(new byte[size]);
    return exchange;
  }

  private static void complete(Exchange exchange) {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }
}
