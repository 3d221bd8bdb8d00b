// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
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
}
