// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Order of startup. */
class StartupGateTest {

  @Test
  void runsReadyActionAfterAllPreconditions() {
    Queue<String> done = new ConcurrentLinkedQueue<>();
    StartupGate startupGate =
        new StartupGate(List.of(() -> done.add("topics"), () -> done.add("memory")));
    startupGate.onReady(() -> done.add("probe"));
    startupGate.start();
    Awaitility.await().until(() -> List.copyOf(done), List.of("topics", "memory", "probe")::equals);
    startupGate.stop();
  }

  @Test
  void namesPreconditionThatIsBeingChecked() {
    CountDownLatch read = new CountDownLatch(1);
    AtomicInteger attempts = new AtomicInteger();
    StartupGate startupGate =
        new StartupGate(
            List.of(
                () -> {
                  if (attempts.incrementAndGet() == 1) {
                    throw new IllegalStateException("Kafka is down");
                  }
                },
                StartupGate.Precondition.named("Reading the store", read::await)));
    startupGate.start();
    Awaitility.await()
        .until(() -> startupGate.unmetPrecondition().equals(Optional.of("Reading the store")));
    read.countDown();
    Awaitility.await().until(startupGate::isReady);
    startupGate.stop();
  }
}
