// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.MqttBroker;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.asterisk.SimulatedCall;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * The recipe {@code events-to-mqtt.camel.yaml}, with the component that the docs' Maven command
 * fetches and a real broker.
 */
@ExtendWith(KafkaExtension.class)
@FullRun("fetches a component with Maven; faster: CheckRoutesTest loads the recipe")
@Tag(FullRun.ON_DEMAND)
class EventsToMqttIT {

  private static final String APP = "mqtt";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path work;
  private Path received;

  @Test
  void publishesEventsInOrderAcrossRestartOfBroker(KafkaBroker kafka) throws Exception {
    received = work.resolve("received");
    Path log = work.resolve("proxy.log");
    Path subscriberProgram = Tool.MOSQUITTO_SUB.path();
    try (MqttBroker broker = MqttBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      kafka.createTopic("mqtt-failed", 1);
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      Process subscriber = subscribe(subscriberProgram, broker);
      try (ProxyProcess proxy = distribution(broker).start(settings, Map.of(), log)) {
        asterisk.awaitConnected(APP);
        Awaitility.await("the new group gets events")
            .until(
                () -> {
                  endedCall(asterisk);
                  return Files.size(received) > 0;
                });
        String before = endedCall(asterisk);
        awaitEventsOf(before);

        broker.stop();
        String meanwhile = endedCall(asterisk);
        broker.start();
        awaitEventsOf(meanwhile);
        awaitEventsOf(endedCall(asterisk));
        assertThat(proxy.terminate()).isEqualTo(143);
      } finally {
        subscriber.destroy();
      }
    }
    assertThat(Files.readString(log)).doesNotContain(" ERROR ");
  }

  private Distribution distribution(MqttBroker broker) throws IOException {
    Distribution distribution = Distribution.unpack(Files.createDirectory(work.resolve("proxy")));
    // newer versions are not in every repository
    distribution.addComponent("camel-paho-mqtt5", "-Dcamel.version=4.17.0");
    distribution.addRecipe("events-to-mqtt.camel.yaml", "mqtt.broker = " + broker.url() + "\n");
    return distribution;
  }

  /** Its session survives a restart of the broker. */
  private Process subscribe(Path program, MqttBroker broker) throws IOException {
    return new ProcessBuilder(
            program.toString(),
            "-p",
            Integer.toString(broker.port()),
            "-t",
            "asterisk/#",
            "-F",
            "%t %p",
            "-q",
            "1",
            "-c",
            "-i",
            "test")
        .redirectErrorStream(true)
        .redirectOutput(received.toFile())
        .start();
  }

  private static String endedCall(SimulatedAsterisk asterisk) {
    SimulatedCall call = asterisk.call(APP, "100", Map.of());
    call.hangup();
    return call.id();
  }

  private void awaitEventsOf(String channel) throws IOException {
    Awaitility.await("events of " + channel)
        .until(() -> topicsOf(channel).contains("asterisk/STASIS_END"));
    assertThat(topicsOf(channel))
        .startsWith("asterisk/STASIS_START")
        .endsWith("asterisk/STASIS_END")
        .doesNotHaveDuplicates();
  }

  private List<String> topicsOf(String channel) throws IOException {
    return Files.readAllLines(received).stream()
        .filter(line -> line.startsWith("asterisk/"))
        .filter(line -> channel.equals(event(line).at("/payload/channel/id").asText()))
        .map(line -> line.split(" ", 2)[0])
        .toList();
  }

  private static JsonNode event(String line) {
    try {
      return JSON.readTree(line.split(" ", 2)[1]);
    } catch (IOException e) {
      throw new AssertionError(line, e);
    }
  }
}
