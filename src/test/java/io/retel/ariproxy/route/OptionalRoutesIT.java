// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Tests optional features: the generic commands topic, and call contexts in a custom route. */
class OptionalRoutesIT {

  private static final String APP = "optional";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @Test
  void respondsToGenericCommand() {
    fixture.startSimulatedAsterisk();
    ProxySettings settings = fixture.settings();
    String generic = settings.commandsTopic() + "-generic";
    fixture.kafka().createTopic(generic, 2);
    settings
        .with(Setting.KAFKA_GENERIC_COMMANDS_TOPIC, generic)
        .with(Setting.KAFKA_GENERIC_GROUP_ID, generic);
    EmbeddedProxy proxy = fixture.startProxy();
    TopicWriter writer = fixture.register(new TopicWriter(fixture.kafka().bootstrapServers()));

    writer.send(
        generic,
        null,
        "{\"callContext\":\"new-call\",\"commandId\":\"first\","
            + "\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}");

    assertThat(fixture.controller().response("first").commandsTopic())
        .isEqualTo(settings.commandsTopic());
    assertThat(proxy.context().getRoute("generic-commands")).isNotNull();
  }

  @Test
  void customRouteReadsCallContexts(@TempDir Path folder) throws IOException {
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
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, routes.toString());
    EmbeddedProxy proxy = fixture.startProxy();
    String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "mine")).id();
    fixture.controller().event("mine", "STASIS_START");

    Mapping mapping =
        proxy
            .context()
            .createProducerTemplate()
            .requestBodyAndHeader(
                "direct:lookup", null, "CamelCaffeineKey", "CHANNEL:" + channel, Mapping.class);

    assertThat(mapping.callContext()).isEqualTo("mine");
  }
}
