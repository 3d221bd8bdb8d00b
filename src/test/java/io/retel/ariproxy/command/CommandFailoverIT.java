// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests that commands of a killed proxy are executed before Kafka's session timeout expires. */
@ExtendWith(KafkaExtension.class)
class CommandFailoverIT {

  private static final String APP = "killed";

  @TempDir private Path folder;

  @Test
  @FullRun("RestartIT proves it with a real Asterisk")
  void restartedProxyConsumesBeforeSessionTimeout(KafkaBroker kafka) throws Exception {
    RoutesDirectory routes =
        RoutesDirectory.copyTo(Files.createDirectory(folder.resolve("routes")));
    routes.edit(
        "commands.camel.yaml",
        yaml ->
            yaml.replace(
                "        pollTimeoutMs: 100",
                "        pollTimeoutMs: 100\n        sessionTimeoutMs: 600000"));
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ROUTES_DIRECTORY, routes.path().toString());
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        proxy.kill();
        proxy.start();
        controller.execute("call", "GET", "/asterisk/ping");
      }
    }
  }

  @Test
  @FullRun("waits for the session timeout of the killed proxy")
  void survivorConsumesGenericCommands(KafkaBroker kafka) {
    String topic = "generic-" + UUID.randomUUID();
    kafka.createTopic(topic, 4);
    try (SimulatedAsterisk killedAsterisk = SimulatedAsterisk.start();
        SimulatedAsterisk survivingAsterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings survivorSettings =
          ProxySettings.of(survivingAsterisk, APP, kafka)
              .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
              .with(Setting.KAFKA_GENERIC_GROUP_ID, topic);
      ProxySettings killedSettings =
          ProxySettings.of(killedAsterisk, APP, kafka)
              .with(Setting.KAFKA_EVENTS_AND_RESPONSES_TOPIC, survivorSettings.eventsTopic())
              .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, topic)
              .with(Setting.KAFKA_GENERIC_GROUP_ID, topic);
      try (ProxyProcess proxy = ProxyProcess.start(killedSettings, folder.resolve("proxy.log"));
          EmbeddedProxy survivor = EmbeddedProxy.start(survivorSettings);
          Controller controller = new Controller(survivorSettings, kafka)) {
        Awaitility.await("both proxies respond")
            .until(
                () ->
                    sendCommands(writer, topic).stream()
                        .map(controller::response)
                        .map(Response::commandsTopic)
                        .anyMatch(killedSettings.commandsTopic()::equals));
        proxy.kill();

        assertThat(sendCommands(writer, topic))
            .allSatisfy(
                id ->
                    assertThat(controller.response(id).commandsTopic())
                        .isEqualTo(survivorSettings.commandsTopic()));
      }
    }
  }

  private static List<String> sendCommands(TopicWriter writer, String topic) {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      String id = UUID.randomUUID().toString();
      ids.add(id);
      writer.send(
          topic,
          id,
          "{\"callContext\":\"%s\",\"commandId\":\"%s\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}"
              .formatted(id, id));
    }
    return ids;
  }
}
