// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests that a failed resync is retried while the websocket is open. */
class ResyncRetryIT {

  private static final String APP = "silent-at-first";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void publishesMissedEventsOnceAsteriskResponds() {
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.CALLCONTEXT_STORE, "memory");
    EmbeddedProxy firstProxy = fixture.startProxy();
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
    fixture.controller().event("call", "STASIS_START");
    firstProxy.close();

    Fault forbidden =
        asterisk
            .faults()
            .respondWith(request -> request.uri().startsWith("/ari/bridges"), 403, "Forbidden");
    EmbeddedProxy secondProxy = fixture.startProxy();
    Awaitility.await("resync failed")
        .until(() -> secondProxy.counter("ari-proxy.resync.failures") == 1);
    forbidden.clear();

    fixture.controller().event("call", "STASIS_START", EventEnvelope::isSynthetic);
    assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
  }
}
