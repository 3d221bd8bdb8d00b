// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Health after the process was frozen, such as by its container or a snapshot. */
@FullRun("Freezes a process for 15 s; units: ProbeTest, HangingCommandsTest")
class FrozenProxyIT {

  private static final String READY = "/observe/health/ready";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension("frozen");

  @Test
  void isUpAgain(@TempDir Path folder) throws Exception {
    int port = ManagementClient.freePort();
    fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.MANAGEMENT_PORT, Integer.toString(port));
    ProxyProcess proxy = fixture.startProxyProcess(folder.resolve("proxy.log"));
    try (ManagementClient management = new ManagementClient(port)) {
      management.await(READY, 200);

      proxy.freeze();
      Thread.sleep(15_000);
      proxy.resume();

      management.await(READY, 200);
      // longer than the interval of checks
      await()
          .during(Duration.ofSeconds(8))
          .atMost(Duration.ofMinutes(1))
          .until(() -> management.get(READY).status() == 200);
      Controller controller = fixture.controller();
      controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
      assertThat(management.metric("ari_proxy_commands_poll_age_seconds")).isLessThan(60);
      assertThat(management.metric("ari_proxy_probe_age_seconds{backing_service=\"ari-rest\"}"))
          .isLessThan(23);
    }
  }
}
