// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests optional features: the generic commands topic, and call contexts in a custom route. */
@ExtendWith(KafkaExtension.class)
class OptionalRoutesIT {

  private static final String APP = "optional";

  @Test
  void respondsToGenericCommand(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      String generic = settings.commandsTopic() + "-generic";
      kafka.createTopic(generic, 2);
      settings
          .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, generic)
          .with(Setting.KAFKA_GENERIC_GROUP_ID, generic);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        writer.send(
            generic,
            null,
            "{\"callContext\":\"new-call\",\"commandId\":\"first\","
                + "\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}");

        assertThat(controller.response("first").commandsTopic())
            .isEqualTo(settings.commandsTopic());
        assertThat(proxy.context().getRoute("generic-commands")).isNotNull();
      }
    }
  }

  @Test
  void customRouteReadsCallContexts(KafkaBroker kafka, @TempDir Path folder) throws IOException {
    Path routes = RoutesDirectory.copyTo(folder).path();
    Files.writeString(
        routes.resolve("lookup.camel.yaml"),
        """
        - route:
            id: lookup
            from:
              uri: direct:lookup
              steps:
                - to:
                    uri: caffeine-cache:callContexts
                    parameters:
                      createCacheIfNotExist: false
                      action: GET
        """);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.ROUTES_DIRECTORY, routes.toString());
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "mine")).id();
        controller.event("mine", "STASIS_START");

        Mapping mapping =
            proxy
                .context()
                .createProducerTemplate()
                .requestBodyAndHeader(
                    "direct:lookup", null, "CamelCaffeineKey", "CHANNEL:" + channel, Mapping.class);

        assertThat(mapping.callContext()).isEqualTo("mine");
      }
    }
  }
}
