// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests that calls that continue and end in the dialplan leave no mappings. */
@FullRun("10,000 calls; faster: MappingComparisonTest")
class ContinuedCallsIT {

  private static final String APP = "ari-proxy-continued";
  private static final int CALLS = 10_000;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void leaveNoMappings() {
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture
        .settings()
        .with(Setting.CALLCONTEXT_COMPARISON_INTERVAL, "5s")
        .with(Setting.CALLCONTEXT_GRACE_PERIOD, "1s");
    EmbeddedProxy proxy = fixture.startProxy();
    SimulatedCall ongoing = asterisk.call(APP);
    List<SimulatedCall> calls = new ArrayList<>();
    for (int i = 0; i < CALLS; i++) {
      calls.add(asterisk.call(APP));
    }
    Awaitility.await("calls mapped")
        .until(() -> proxy.gauge("ari-proxy.call-contexts") == CALLS + 1);

    calls.forEach(SimulatedCall::leaveStasis);
    calls.forEach(SimulatedCall::hangup);

    Awaitility.await("mappings ended")
        .until(() -> proxy.counter("ari-proxy.comparison.mappings.ended") == CALLS);
    assertThat(proxy.gauge("ari-proxy.call-contexts")).isOne();
    assertThat(asterisk.requestCount("GET", "/channels/" + ongoing.id())).isLessThan(10);
    ongoing.hangup();
    Awaitility.await("mapping of the last call ended")
        .until(() -> proxy.gauge("ari-proxy.call-contexts") == 0);
    assertThat(proxy.counter("ari-proxy.comparison.mappings.ended")).isEqualTo(CALLS);
  }
}
