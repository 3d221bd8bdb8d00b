// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Stop of the context: queued messages are drained first. */
class LanesStopTest extends LanesTestSupport {

  @Test
  void drainsQueuedMessagesOnStop() throws Exception {
    Set<Thread> before = Set.copyOf(Thread.getAllStackTraces().keySet());
    CountDownLatch stopping = new CountDownLatch(1);
    start(
        "?concurrentConsumers=3",
        exchange -> {
          stopping.await();
          begin(exchange);
          end(exchange);
        });
    for (int i = 0; i < 300; i++) {
      send("key " + i % 10, i / 10);
    }
    CompletableFuture<Void> stop = Async.run(context::stop);
    await().until(context::isStopping);
    assertThat(stop).isNotDone();
    stopping.countDown();
    assertThat(stop).succeedsWithin(DefaultTimeout.DURATION);
    awaitProcessed(300);
    await()
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> !before.contains(thread))
                    .map(Thread::getName)
                    .filter(name -> name.contains("amel"))
                    .collect(Collectors.toSet())
                    .isEmpty());
  }

  @Test
  void stopsPromptlyWhenEmpty() throws Exception {
    start("", exchange -> end(exchange));
    send("key", 0);
    awaitProcessed(1);
    assertThat(Async.run(context::stop)).succeedsWithin(DefaultTimeout.DURATION);
  }
}
