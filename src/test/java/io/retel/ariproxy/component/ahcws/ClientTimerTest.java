// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.util.Timeout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Timeouts on a thread that exists only while there are some. */
class ClientTimerTest {

  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();
  private final ClientTimer timer = new ClientTimer(executor);
  private final Queue<Timeout> expired = new ConcurrentLinkedQueue<>();

  @AfterEach
  void stop() {
    executor.shutdownNow();
  }

  @Test
  void expiresInTime() {
    long start = System.nanoTime();

    Timeout timeout = timer.newTimeout(expired::add, 200, TimeUnit.MILLISECONDS);

    await().until(() -> expired.contains(timeout));
    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(200_000_000);
    assertThat(timeout.isExpired()).isTrue();
    assertThat(timeout.isCancelled()).isFalse();
    assertThat(timeout.timer()).isSameAs(timer);
  }

  @Test
  void canceledTimeoutDoesNotExpire() {
    Timeout timeout = timer.newTimeout(expired::add, 1, TimeUnit.HOURS);

    assertThat(timeout.cancel()).isTrue();

    assertThat(timeout.isCancelled()).isTrue();
    assertThat(expired).isEmpty();
  }

  @Test
  void failedTaskDoesNotEndTimer() {
    timer.newTimeout(
        timeout -> {
          throw new IllegalStateException("test");
        },
        0,
        TimeUnit.MILLISECONDS);

    timer.newTimeout(expired::add, 10, TimeUnit.MILLISECONDS);

    await().until(() -> expired.size() == 1);
  }
}
