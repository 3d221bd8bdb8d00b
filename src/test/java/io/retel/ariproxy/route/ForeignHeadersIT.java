// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.RawHttpServer;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.RoutesDirectory;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Servers and writers that send headers which are options of a later step of a route. */
class ForeignHeadersIT {

  private static final String ROUTES =
      """
      - route:
          id: enrich
          from:
            uri: kafka:foreign-source
            parameters: {brokers: "{{kafka.brokers}}", groupId: foreign, autoOffsetReset: earliest}
            steps:
              - to: http://127.0.0.1:%d/?httpMethod=GET
              - to: kafka:foreign-target?brokers={{kafka.brokers}}
      - route:
          id: copy
          from:
            uri: kafka:foreign-source
            parameters: {brokers: "{{kafka.brokers}}", groupId: copy, autoOffsetReset: earliest}
            steps:
              - to: kafka:foreign-copies?brokers={{kafka.brokers}}
      """;

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension("foreign");

  @Test
  void chooseNeitherTopicNorKey(@TempDir Path folder) {
    for (String topic :
        new String[] {"foreign-source", "foreign-target", "foreign-copies", "diverted"}) {
      fixture.kafka().createTopic(topic, 1);
    }
    RawHttpServer server =
        fixture.register(
            RawHttpServer.start(
                (request, out) ->
                    out.write(
                        RawHttpServer.bytes(
                            "HTTP/1.1 200 OK\r\nkafka.OVERRIDE_TOPIC: diverted\r\nKafka.Key: other\r\n"
                                + "customer: gold\r\nContent-Length: 2\r\n\r\nok"))));
    RoutesDirectory.copyTo(folder).write("foreign.camel.yaml", ROUTES.formatted(server.port()));
    fixture.startSimulatedAsterisk();
    fixture.settings().with(Setting.ROUTES_DIRECTORY, folder.toString());
    fixture.startProxy();
    String brokers = fixture.kafka().bootstrapServers();
    TopicWriter writer = fixture.register(new TopicWriter(brokers));
    TopicReader diverted = fixture.register(TopicReader.of(brokers, "diverted"));

    writer.send(
        "foreign-source",
        "call",
        "event",
        Map.of("kafka.OVERRIDE_TOPIC", "diverted", "KAFKA.override_topic", "diverted"));

    TopicRecord enriched = record(brokers, "foreign-target");
    assertThat(enriched.key()).isEqualTo("call");
    assertThat(enriched.text()).isEqualTo("ok");
    assertThat(enriched.header("customer")).isEqualTo("gold");
    assertThat(record(brokers, "foreign-copies").text()).isEqualTo("event");
    assertThat(diverted.records()).isEmpty();
  }

  private TopicRecord record(String brokers, String topic) {
    return fixture.register(TopicReader.of(brokers, topic)).await(1).get(0);
  }
}
