// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.util.Timeout;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Timeouts on a thread that exists only while there are some. */
class ClientTimerTest {

  private static final String THREAD = "test-client-timer";

  private final ClientTimer timer = new ClientTimer(THREAD);
  private final Queue<Timeout> expired = new ConcurrentLinkedQueue<>();

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith(THREAD))
        .count();
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
    await("end of the thread").until(() -> threads() == 0);
  }

  @Test
  void canceledTimeoutDoesNotExpire() {
    Timeout timeout = timer.newTimeout(expired::add, 1, TimeUnit.HOURS);
    assertThat(threads()).isOne();

    assertThat(timeout.cancel()).isTrue();

    assertThat(timeout.isCancelled()).isTrue();
    assertThat(timer.pending()).isZero();
    await("end of the thread").until(() -> threads() == 0);
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

  @Test
  void stopDropsTimeouts() {
    timer.newTimeout(expired::add, 1, TimeUnit.HOURS);

    timer.stop();

    await("end of the thread").until(() -> threads() == 0);
  }
}
