// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.timer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A task on a thread that exists while it runs. */
class BackgroundTaskTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicInteger runs = new AtomicInteger();

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void runsOnceAtATime() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    BackgroundTask task =
        new BackgroundTask(
            context,
            "test",
            () -> {
              runs.incrementAndGet();
              try {
                end.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });

    task.start();
    task.start();

    assertThat(task.isRunning()).isTrue();
    end.countDown();
    await().until(() -> !task.isRunning());
    assertThat(runs).hasValue(1);
    task.start();
    await().until(() -> runs.get() == 2);
    task.stop(1_000);
  }

  @Test
  void startsAgainAfterError() {
    BackgroundTask task =
        new BackgroundTask(
            context,
            "test",
            () -> {
              runs.incrementAndGet();
              throw new IllegalStateException("test");
            });

    task.start();
    await().until(() -> !task.isRunning());
    task.start();

    await().until(() -> runs.get() == 2);
  }

  @Test
  void startsAgainAfterThreadLimit() {
    AtomicBoolean limit = new AtomicBoolean(true);
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new SynchronousQueue<>()) {
          @Override
          public void execute(Runnable command) {
            if (limit.get()) {
              throw new OutOfMemoryError("unable to create native thread: test");
            }
            super.execute(command);
          }
        };
    BackgroundTask task = new BackgroundTask(context, "test", threads, runs::incrementAndGet);
    try (CapturedLog log = new CapturedLog()) {
      task.start();
      task.start();
      assertThat(log.lines(Level.WARN))
          .containsExactly(
              "Thread test cannot start, retrying: unable to create native thread: test; raise the"
                  + " limit of threads");
    }
    limit.set(false);

    task.start();

    await().until(() -> runs.get() == 1);
  }

  @Test
  void doesNotStartAfterStop() {
    BackgroundTask task = new BackgroundTask(context, "test", runs::incrementAndGet);

    task.stop(1_000);
    task.start();

    assertThat(task.isRunning()).isFalse();
    assertThat(runs).hasValue(0);
  }
}
