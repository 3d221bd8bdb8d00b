// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Tests two proxies that share a commands topic by mistake. */
@ExtendWith(KafkaExtension.class)
class SharedCommandsTopicIT {

  @Test
  void secondProxyFencesFirst(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings firstSettings = ProxySettings.of(asterisk, "one", kafka);
      ProxySettings secondSettings =
          ProxySettings.of(asterisk, "two", kafka)
              .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, firstSettings.eventsTopic())
              .with(Setting.KAFKA_COMMANDS_TOPIC, firstSettings.commandsTopic());
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy first = EmbeddedProxy.start(firstSettings);
          Controller controller = new Controller(firstSettings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        try (EmbeddedProxy second = EmbeddedProxy.start(secondSettings)) {
          List<String> sent = new ArrayList<>();
          for (int i = 0; i < 60; i++) {
            sent.add(controller.send("call-" + i % 20, "GET", "/asterisk/ping"));
          }
          sent.forEach(controller::response);
          Awaitility.await("first proxy logs that it was fenced")
              .untilAsserted(
                  () ->
                      assertThat(log.lines(Level.ERROR))
                          .filteredOn(line -> line.contains("Fenced, no longer consuming"))
                          .singleElement()
                          .asString()
                          .contains(firstSettings.commandsTopic())
                          .contains("kafka.group-id"));
          assertThat(first.health("commands")).startsWith("DOWN: Fenced by another proxy");
          assertThat(second.health("commands")).isEqualTo("UP");
          assertThat(first.gauge("ari-proxy.commands.lag")).as("lag of a fenced consumer").isNaN();
          assertThat(second.gauge("ari-proxy.commands.lag")).isNotNegative();
          controller.execute("call", "GET", "/asterisk/ping");
          assertThat(first.context().isStarted()).isTrue();
          assertThat(second.context().isStarted()).isTrue();
        }
        assertThat(log.lines(Level.ERROR)).noneMatch(line -> line.contains("Failed delivery"));
      }
    }
  }
}
