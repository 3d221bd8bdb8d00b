// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Threads of a proxy without events and commands. */
class AtRestIT {

  private static final String APP = "at-rest";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void hasFewThreads() {
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
          .hasEntrySatisfying(
              "vert.x-worker-thread", count -> assertThat(count).isLessThanOrEqualTo(8));
    }
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
