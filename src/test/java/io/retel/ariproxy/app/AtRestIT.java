// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.ThreadActivity;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Threads of a proxy without events and commands, and how often they wake. */
@EnabledOnOs(OS.LINUX)
@FullRun("measures wake-ups over seconds, once the proxy is at rest")
class AtRestIT {

  private static final String APP = "at-rest";
  private static final long SECONDS = 5;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void hasFewThreadsThatRarelyWake() {
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    ProxySettings settings =
        fixture
            .settings()
            .with(Setting.MANAGEMENT_PORT, Integer.toString(ManagementClient.freePort()));
    Set<Thread> others = Thread.getAllStackTraces().keySet();
    try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
        ManagementClient management = new ManagementClient(proxy)) {
      asterisk.awaitConnected(APP);
      management.await("/observe/health/ready", 200);
      management.get("/observe/metrics");

      Map<String, Long> threads = threads(others);

      assertThat(threads)
          .as("all: %s", threads)
          .containsEntry("lanes://commands", 1L)
          .containsEntry("timer", 1L)
          .containsEntry("websocket-localhost", 1L)
          .containsEntry("vert.x-eventloop-thread", 1L)
          .containsEntry("management-health", 1L)
          .containsEntry("management-metrics", 1L);

      // polls become longer a moment after the start
      await().untilAsserted(AtRestIT::assertRarelyWake);
    }
  }

  /** Observes all threads for {@value #SECONDS} s. */
  private static void assertRarelyWake() throws InterruptedException {
    long pid = ProcessHandle.current().pid();
    ThreadActivity before = ThreadActivity.of(pid);
    TimeUnit.SECONDS.sleep(SECONDS);
    Map<String, Long> wakeUps = ThreadActivity.of(pid).wakeUpsSince(before);

    assertThat(wakeUps).as("by thread, whose name is cut").containsKey("lanes://command");
    assertWakeUps(wakeUps, "lanes://command", 1);
    assertWakeUps(wakeUps, "ahc-ws://localh", 1);
    assertWakeUps(wakeUps, "timer", 5);
    assertWakeUps(wakeUps, "KafkaConsumer[c", 10);
    assertWakeUps(wakeUps, "vertx-blocked-t", 1);
  }

  private static void assertWakeUps(Map<String, Long> wakeUps, String thread, int perSecond) {
    long actual =
        wakeUps.entrySet().stream()
            .filter(entry -> entry.getKey().startsWith(thread))
            .mapToLong(Map.Entry::getValue)
            .sum();
    assertThat(actual)
        .as("%s in %d s, of %s", thread, SECONDS, wakeUps)
        .isLessThanOrEqualTo(perSecond * SECONDS);
  }

  /** Returns the number of threads by their names without numbers and options. */
  private static Map<String, Long> threads(Set<Thread> others) {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> !others.contains(thread))
        .map(
            thread ->
                thread
                    .getName()
                    .replaceFirst("^Camel .* - ", "")
                    .replaceFirst("\\?.*", "")
                    .replaceFirst("[-# 0-9]*$", ""))
        .collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
  }
}
