// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests the smallest permitted limit of bytes in flight to Kafka. */
@ExtendWith(KafkaExtension.class)
class InFlightLimitIT {

  private static final String APP = "little-heap";

  @Test
  void publishesEventLargerThanLimit(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, Integer.toString(1024 * 1024) + "B");
      kafka.setMaxMessageBytes(settings.eventsTopic(), 8 * 1024 * 1024);
      kafka.setMaxMessageBytes(settings.unmappedTopic(), 8 * 1024 * 1024);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call")).id();
        controller.event("call", "STASIS_START");
        String mappedEvent = largeEvent("\"channel\":{\"id\":\"" + channel + "\"},");
        String unmappedEvent = largeEvent("");

        asterisk.emit(APP, mappedEvent);
        asterisk.emit(APP, unmappedEvent);

        EventEnvelope unmapped = controller.awaitUnmapped();
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(unmapped.payloadText()).isEqualTo(unmappedEvent);
        assertThat(controller.event("call", "CHANNEL_USEREVENT").payloadText())
            .isEqualTo(mappedEvent);
      }
    }
  }

  private static String largeEvent(String channel) {
    return "{\"type\":\"ChannelUserevent\",%s\"eventname\":\"large\",\"userevent\":{\"v\":\"%s\"}}"
        .formatted(channel, "x".repeat(5 * 1024 * 1024));
  }
}
