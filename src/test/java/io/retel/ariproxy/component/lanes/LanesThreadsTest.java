// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Threads of a route: none but one at rest, as many as configured under load. */
class LanesThreadsTest extends LanesTestSupport {

  private static final int CONSUMERS = 8;

  private long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.contains("(" + context.getName() + ")"))
        .filter(name -> name.contains("lanes://queue"))
        .count();
  }

  @Test
  void oneThreadWaitsAtRest() throws Exception {
    start("?concurrentConsumers=48", exchange -> end(exchange));
    await().until(() -> threads() == 1);

    for (int i = 1; i <= 10; i++) {
      send("key", i);
      awaitProcessed(i);
    }

    // one that processes, one that waits, one that has just ended its message
    assertThat(threads()).isLessThanOrEqualTo(3);
  }

  @Test
  void burstUsesAllThreads() throws Exception {
    CountDownLatch concurrent = new CountDownLatch(CONSUMERS);
    start(
        "?concurrentConsumers=" + CONSUMERS,
        exchange -> {
          concurrent.countDown();
          concurrent.await();
          end(exchange);
        });

    for (int i = 0; i < 10 * CONSUMERS; i++) {
      send("key " + i, i);
    }

    awaitProcessed(10 * CONSUMERS);
    assertThat(threads()).isEqualTo(CONSUMERS);
  }
}
