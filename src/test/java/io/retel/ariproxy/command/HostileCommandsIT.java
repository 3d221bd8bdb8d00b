// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.HostileCommand;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.Response;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Sends all hostile or broken commands in one burst, with a real Kafka. */
@ExtendWith(KafkaExtension.class)
class HostileCommandsIT {

  private static final String APP = "hostile";
  private static final String USERNAME = "somebody";
  private static final String PASSWORD = "do-not-show-7731";

  /** The upgrade and the queries of the resync, which repeats those without a description. */
  private static final Set<String> OWN_REQUESTS =
      Set.of("/events", "/asterisk/info", "/applications", "/channels", "/bridges");

  @Test
  void respondsToBurstWithoutLeavingAri(KafkaBroker kafka) throws Exception {
    List<HostileCommand> hostile = HostileCommand.all();
    List<String> output = new ArrayList<>();
    try (CapturedLog log = CapturedLog.atDebug();
        SimulatedAsterisk asterisk = SimulatedAsterisk.builder().user(USERNAME, PASSWORD).start()) {
      asterisk
          .faults()
          .respondWith(request -> !OWN_REQUESTS.contains(request.path()), 204, null, new byte[0]);
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        try (TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
          writer
              .sendAll(hostile.stream().map(command -> toRecord(settings, command)).toList())
              .join();
        }
        List<Response> responses = controller.responses(hostile.size());
        assertThat(responses).hasSize(hostile.size());
        assertThat(proxy.counter("ari-proxy.responses.lost")).isZero();

        controller.execute("after-all", "GET", "/asterisk/ping").assertStatus(204);
        // a RESPONSE can be read before the proxy receives its acknowledgement
        Awaitility.await("all commands counted")
            .until(() -> proxy.counter("ari-proxy.commands.completed") == hostile.size() + 1);
        assertThat(receivedRequests(asterisk))
            .containsExactlyInAnyOrderElementsOf(
                Stream.concat(
                        hostile.stream().map(HostileCommand::forwarded).filter(Objects::nonNull),
                        Stream.of(
                            "GET /ari/asterisk/ping",
                            // queries of the resync
                            "GET /ari/asterisk/info?only=system%2Cstatus",
                            "GET /ari/applications",
                            "GET /ari/channels",
                            "GET /ari/bridges"))
                    .toList());
        assertThat(controller.unmapped()).isEmpty();
        assertThat(topics(kafka)).noneMatch(topic -> topic.contains("evil"));
        controller.responses().forEach(response -> output.add(response.toString()));
      }
      for (ILoggingEvent event : log.events()) {
        output.add(event.getFormattedMessage());
        if (event.getThrowableProxy() != null) {
          output.add(ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
      }
    }
    String credentials = USERNAME + ":" + PASSWORD;
    String encoded =
        Base64.getEncoder().encodeToString(credentials.getBytes(StandardCharsets.UTF_8));
    assertThat(output).as("captured output").hasSizeGreaterThan(hostile.size());
    assertThat(output).noneMatch(text -> text.contains(PASSWORD) || text.contains(encoded));
  }

  /** Uses a different key for each record, to distribute them over all partitions. */
  private static ProducerRecord<String, byte[]> toRecord(
      ProxySettings settings, HostileCommand command) {
    ProducerRecord<String, byte[]> record =
        new ProducerRecord<>(settings.commandsTopic(), command.toString(), command.value());
    command
        .headers()
        .forEach((name, text) -> record.headers().add(name, text.getBytes(StandardCharsets.UTF_8)));
    return record;
  }

  private static Set<String> topics(KafkaBroker kafka) throws Exception {
    try (Admin admin =
        Admin.create(
            Map.<String, Object>of(
                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()))) {
      return admin.listTopics().names().get();
    }
  }

  private static List<String> receivedRequests(SimulatedAsterisk asterisk) {
    return asterisk.requests().stream()
        .filter(request -> !request.matches("GET", "/events"))
        .map(RecordedRequest::toString)
        .map(HostileCommand::withoutGeneratedId)
        .toList();
  }
}
