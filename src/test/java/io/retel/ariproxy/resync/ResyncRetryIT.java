// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests that a failed resync is retried while the websocket is open. */
@ExtendWith(KafkaExtension.class)
class ResyncRetryIT {

  private static final String APP = "silent-at-first";

  @Test
  void publishesMissedEventsOnceAsteriskResponds(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.CALLCONTEXT_STORE, "memory");
      try (Controller controller = new Controller(settings, kafka)) {
        try (EmbeddedProxy firstProxy = EmbeddedProxy.start(settings)) {
          asterisk.awaitConnected(APP);
          asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
          controller.event("call", "STASIS_START");
        }
        Fault forbidden =
            asterisk
                .faults()
                .respondWith(request -> request.uri().startsWith("/ari/bridges"), 403, "Forbidden");
        try (EmbeddedProxy secondProxy = EmbeddedProxy.start(settings)) {
          Awaitility.await("resync failed")
              .until(() -> secondProxy.counter("ari-proxy.resync.failures") == 1);
          forbidden.clear();

          controller.event("call", "STASIS_START", EventEnvelope::isSynthetic);
          assertThat(asterisk.totalWebsocketCount()).isEqualTo(2);
        }
      }
    }
  }
}
