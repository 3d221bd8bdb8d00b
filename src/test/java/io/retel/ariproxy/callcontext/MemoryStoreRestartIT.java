// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Tests that a restarted proxy maps active calls in Asterisk to their previous call contexts
 * (docs/contract.md#mapping).
 */
@ExtendWith(KafkaExtension.class)
class MemoryStoreRestartIT {

  private static final String APP = "ari-proxy-lost-memory";

  @Test
  void recoversCallContextsOfActiveCalls(KafkaBroker kafka) {
    recoversCallContextsOfActiveCalls("sid", kafka);
  }

  @Test
  @FullRun("the same on Asterisk 16")
  void recoversCallContextsOfActiveCallsOnAsterisk16(KafkaBroker kafka) {
    recoversCallContextsOfActiveCalls("bullseye", kafka);
  }

  private void recoversCallContextsOfActiveCalls(String suite, KafkaBroker kafka) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.CALLCONTEXT_STORE, "memory");
      try (Controller controller = new Controller(settings, kafka)) {
        EventEnvelope generated;
        EventEnvelope given;
        try (EmbeddedProxy firstProxy = EmbeddedProxy.start(settings)) {
          controller.awaitApplication();
          given = startCall(asterisk, controller, "ctx-given-" + suite + "~" + APP);
          generated = startCall(asterisk, controller, "app-" + APP);
        } // stays on its topic, and is not executed before the application is registered
        String waitingCommand =
            controller.send("waiting", "POST", "/channels?endpoint=Local/3000@default&app=" + APP);

        try (EmbeddedProxy secondProxy = EmbeddedProxy.start(settings)) {
          controller.response(waitingCommand).assertStatus(200);
          controller.event("waiting", "STASIS_START");
          assertCallContinues(controller, given);
          assertCallContinues(controller, generated);
          assertThat(given.key()).isEqualTo("given-" + suite);
          // includes the waiting command's channel, if it entered before resync took its snapshot
          assertThat(secondProxy.counter("ari-proxy.resync.channels.discovered"))
              .isBetween(2.0, 3.0);
          assertThat(controller.unmapped()).isEmpty();
        }
      }
    }
  }

  /** Asserts that a command's events have the previous call context. */
  private static void assertCallContinues(Controller controller, EventEnvelope start) {
    String channel = start.channelId();
    controller.execute(start.key(), "POST", "/channels/" + channel + "/answer");
    controller.event(
        start.key(),
        "CHANNEL_STATE_CHANGE",
        event ->
            event.isOfChannel(channel)
                && "Up".equals(event.payload().at("/channel/state").asText()));
  }

  private static EventEnvelope startCall(
      RealAsterisk asterisk, Controller controller, String extension) {
    long before = countStasisStarts(controller);
    asterisk.runCli("channel originate Local/" + extension + "@default application Wait 60");
    Awaitility.await("call started").until(() -> countStasisStarts(controller) > before);
    return controller.events().stream()
        .filter(MemoryStoreRestartIT::isStasisStart)
        .max((one, other) -> Long.compare(one.record().timestamp(), other.record().timestamp()))
        .orElseThrow();
  }

  private static long countStasisStarts(Controller controller) {
    return controller.events().stream().filter(MemoryStoreRestartIT::isStasisStart).count();
  }

  private static boolean isStasisStart(EventEnvelope event) {
    return event.hasType("STASIS_START");
  }
}
