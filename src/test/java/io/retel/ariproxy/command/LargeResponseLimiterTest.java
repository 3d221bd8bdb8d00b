// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Limit on the heap of large responses. */
class LargeResponseLimiterTest {

  private static final int BODY = 100 * 1_024;
  private static final long LIMIT = 2 * LargeResponseLimiter.heap(BODY) / 1_024 * 1_024;

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final LargeResponseLimiter limiter =
      new LargeResponseLimiter(LIMIT, Duration.ofMillis(1));

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void limitsHeapUntilCommandsComplete() throws Exception {
    Exchange first = acquired(BODY);
    acquired(BODY);
    assertThat(limiter.tryAcquire(exchange(), BODY)).isFalse();
    assertThat(limiter.acquire(exchange(), BODY)).isFalse();

    complete(first);

    assertThat(limiter.acquire(exchange(), BODY)).isTrue();
  }

  @Test
  void releasesOnce() throws Exception {
    Exchange exchange = acquired(BODY);
    assertThat(limiter.usedBytes()).isPositive();

    LargeResponseLimiter.release(exchange);
    LargeResponseLimiter.release(exchange);
    complete(exchange);

    assertThat(limiter.usedBytes()).isZero();
    assertThat(limiter.limit()).isEqualTo(LIMIT);
  }

  @Test
  void readsResponseLargerThanLimitAlone() throws Exception {
    Exchange huge = acquired(Integer.MAX_VALUE);
    assertThat(limiter.acquire(exchange(), BODY)).isFalse();

    complete(huge);

    assertThat(limiter.usedBytes()).isZero();
  }

  @Test
  void countsBodyAndEnvelopeTwiceInBase64AndInWholeRegions() {
    assertThat(LargeResponseLimiter.heap(30_000)).isEqualTo(30_000 + 2 * (40_000 + 1_024));
    // arrays of more than 512 KB take whole megabytes
    assertThat(LargeResponseLimiter.heap(400_000)).isEqualTo(400_000 + 2 * (1 << 20));
    assertThat(LargeResponseLimiter.heap(512 * 1_024)).isEqualTo(3 << 20);
  }

  private Exchange acquired(int bytes) throws InterruptedException {
    Exchange exchange = exchange();
    assertThat(limiter.tryAcquire(exchange, bytes)).isTrue();
    return exchange;
  }

  private Exchange exchange() {
    return new DefaultExchange(context);
  }

  private static void complete(Exchange exchange) {
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }
}
