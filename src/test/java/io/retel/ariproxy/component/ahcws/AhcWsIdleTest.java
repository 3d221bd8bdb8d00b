// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.ThreadActivity;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Costs of an open websocket without messages. */
@EnabledOnOs(OS.LINUX)
class AhcWsIdleTest extends AhcWsTestSupport {

  private static final int SECONDS = 2;

  private static List<String> websocketThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("websocket-"))
        .toList();
  }

  @Test
  void clientHasOneThreadThatDoesNotWake() throws Exception {
    startConnected("");
    await().until(() -> websocketThreads().size() == 1);
    ThreadActivity before = ThreadActivity.of(ProcessHandle.current().pid());

    TimeUnit.SECONDS.sleep(SECONDS);

    assertThat(ThreadActivity.of(ProcessHandle.current().pid()).wakeUpsSince(before).entrySet())
        .filteredOn(thread -> thread.getKey().startsWith("websocket"))
        .isNotEmpty()
        .allMatch(thread -> thread.getValue() <= SECONDS);
  }
}
