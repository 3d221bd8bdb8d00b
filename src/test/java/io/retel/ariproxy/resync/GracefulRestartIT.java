// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Tests reloads and a graceful restart of a real Asterisk with a call (docs/contract.md#asterisk).
 */
@FullRun("restarts Asterisk; faster: ResyncIT kills it")
@Tag(FullRun.ON_DEMAND)
class GracefulRestartIT {

  private static final String APP = "ari-proxy-graceful";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void callContinuesUntilItsEnd() {
    callContinuesUntilItsEnd("sid");
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void callContinuesUntilItsEndOnAsterisk16() {
    callContinuesUntilItsEnd("bullseye");
  }

  private void callContinuesUntilItsEnd(String suite) {
    RealAsterisk asterisk = fixture.startRealAsterisk(suite);
    fixture.startProxy();
    Controller controller = fixture.controller();
    asterisk.originateCall("ctx-call~" + APP);
    String channel = "/channels/" + controller.event("call", "STASIS_START").channelId();

    // otherwise Asterisk ends it after 30 s
    controller.execute("call", "POST", channel + "/answer").assertStatus(204);

    asterisk.runCli("module reload");
    asterisk.runCli("core reload");
    controller
        .execute("call", "POST", channel + "/variable?variable=RELOADED&value=1")
        .assertStatus(204);
    controller.event(
        "call",
        "CHANNELVARSET",
        event -> event.payload().path("variable").asText().equals("RELOADED"));

    asterisk.runCli("core restart gracefully");
    Awaitility.await("no new channels")
        .until(
            () ->
                controller
                        .execute("new", "POST", "/channels?endpoint=Local/3000@default&app=" + APP)
                        .status()
                    == 500);
    controller.execute("call", "POST", channel + "/ring").assertStatus(204);
    controller.execute("call", "DELETE", channel).assertStatus(204);
    controller.event("call", "STASIS_END");

    Awaitility.await("calls after the restart")
        .pollInterval(Duration.ofSeconds(1))
        .ignoreExceptions()
        .until(
            () -> {
              asterisk.originateCall("ctx-after~" + APP);
              return controller.events().stream().anyMatch(event -> "after".equals(event.key()));
            });
    assertThat(controller.events())
        .filteredOn(event -> "call".equals(event.key()))
        .noneMatch(EventEnvelope::isSynthetic);
  }
}
