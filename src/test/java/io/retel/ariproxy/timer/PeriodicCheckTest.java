// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.timer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Checks of a context on one thread, or on one of their own. */
class PeriodicCheckTest {

  private static final Duration INTERVAL = Duration.ofMillis(50);

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();

  @BeforeEach
  void start() {
    context.start();
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  private PeriodicCheck shared(Runnable check) throws Exception {
    PeriodicCheck periodic =
        new PeriodicCheck(context, null, INTERVAL) {
          @Override
          protected void check() {
            threads.add(Thread.currentThread());
            check.run();
          }
        };
    context.addService(periodic);
    return periodic;
  }

  @Test
  void checksShareThread() throws Exception {
    AtomicInteger first = new AtomicInteger();
    AtomicInteger second = new AtomicInteger();
    shared(first::incrementAndGet);
    shared(second::incrementAndGet);

    await().until(() -> first.get() > 0 && second.get() > 0);

    assertThat(threads).extracting(Thread::getName).allMatch(name -> name.endsWith(" - timer"));
    assertThat(threads.stream().distinct()).hasSize(1);
  }

  @Test
  void checkThatBlocksHasItsOwnThread() throws Exception {
    context.addService(
        new PeriodicCheck(context, "blocking", INTERVAL) {
          @Override
          protected void check() {
            threads.add(Thread.currentThread());
          }
        });

    await().until(() -> !threads.isEmpty());

    assertThat(threads).extracting(Thread::getName).allMatch(name -> name.endsWith(" - blocking"));
  }

  @Test
  void errorEndsNoCheck() throws Exception {
    shared(
        () -> {
          throw new IllegalStateException("test");
        });

    await().until(() -> threads.size() >= 2);
  }

  @Test
  void stopEndsChecksOfOneOnly() throws Exception {
    AtomicInteger checks = new AtomicInteger();
    AtomicInteger others = new AtomicInteger();
    PeriodicCheck stopped = shared(checks::incrementAndGet);
    shared(others::incrementAndGet);
    await().until(() -> checks.get() > 0);

    stopped.stop();
    int before = checks.get();

    int othersBefore = others.get();
    await().until(() -> others.get() >= othersBefore + 4);
    assertThat(checks.get()).isLessThanOrEqualTo(before + 1);
  }
}
