// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.EventEnvelope;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests the smallest permitted limit of bytes in flight to Kafka. */
class InFlightLimitIT {

  private static final String APP = "little-heap";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void publishesEventLargerThanLimit() {
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    ProxySettings settings =
        fixture
            .settings()
            .with(Setting.KAFKA_MAX_IN_FLIGHT_BYTES, Integer.toString(1024 * 1024) + "B");
    fixture.kafka().setMaxMessageBytes(settings.eventsTopic(), 8 * 1024 * 1024);
    fixture.kafka().setMaxMessageBytes(settings.unmappedTopic(), 8 * 1024 * 1024);
    EmbeddedProxy proxy = fixture.startProxy();
    Controller controller = fixture.controller();
    String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call")).id();
    controller.event("call", "STASIS_START");
    String mappedEvent = largeEvent("\"channel\":{\"id\":\"" + channel + "\"},");
    String unmappedEvent = largeEvent("");

    asterisk.emit(APP, mappedEvent);
    asterisk.emit(APP, unmappedEvent);

    EventEnvelope unmapped = controller.awaitUnmapped();
    assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
    assertThat(unmapped.payloadText()).isEqualTo(unmappedEvent);
    assertThat(controller.event("call", "CHANNEL_USEREVENT").payloadText()).isEqualTo(mappedEvent);
  }

  private static String largeEvent(String channel) {
    return "{\"type\":\"ChannelUserevent\",%s\"eventname\":\"large\",\"userevent\":{\"v\":\"%s\"}}"
        .formatted(channel, "x".repeat(5 * 1024 * 1024));
  }
}
