package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.HostileCommand;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
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

/** All that a hostile or broken client can try, at once, over a real Kafka. */
@ExtendWith(KafkaExtension.class)
class HostileCommandsIT {

  private static final String APP = "hostile";
  private static final String USERNAME = "somebody";
  private static final String PASSWORD = "do-not-show-7731";

  @Test
  void aBurstOfThemIsAnsweredAndNothingLeavesAri(KafkaBroker kafka) throws Exception {
    List<HostileCommand> hostile = HostileCommand.all();
    List<String> seen = new ArrayList<>();
    try (CapturedLog log = CapturedLog.atDebug();
        SimulatedAsterisk asterisk = SimulatedAsterisk.builder().user(USERNAME, PASSWORD).start()) {
      asterisk.faults().answer(request -> !request.is("GET", "/events"), 204, null, new byte[0]);
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        asterisk.awaitConnected(APP);
        try (TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
          writer
              .sendAll(hostile.stream().map(command -> record(settings, command)).toList())
              .join();
        }
        List<TopicRecord> responses = controller.events(hostile.size(), record -> true);
        assertThat(responses).hasSize(hostile.size());
        assertThat(proxy.count("ari-proxy.commands.unanswered")).isZero();

        assertThat(controller.ask("after-all", "GET", "/asterisk/ping").path("status_code").asInt())
            .isEqualTo(204);
        // a RESPONSE may be read before the proxy knows that Kafka has it
        Awaitility.await("all are counted as answered")
            .until(() -> proxy.count("ari-proxy.commands.answered") == hostile.size() + 1);
        assertThat(sentTo(asterisk))
            .containsExactlyInAnyOrderElementsOf(
                Stream.concat(
                        hostile.stream().map(HostileCommand::sent).filter(Objects::nonNull),
                        Stream.of(
                            "GET /ari/asterisk/ping",
                            // at the connect
                            "GET /ari/asterisk/info?only=system%2Cstatus",
                            "GET /ari/applications",
                            "GET /ari/channels",
                            "GET /ari/bridges"))
                    .toList());
        assertThat(controller.unmapped()).isEmpty();
        assertThat(topics(kafka)).noneMatch(topic -> topic.contains("evil"));
        controller.responses().forEach(record -> seen.add(record.key() + record.text()));
      }
      for (ILoggingEvent event : log.events()) {
        seen.add(event.getFormattedMessage());
        if (event.getThrowableProxy() != null) {
          seen.add(ThrowableProxyUtil.asString(event.getThrowableProxy()));
        }
      }
    }
    String login = USERNAME + ":" + PASSWORD;
    String encoded = Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    assertThat(seen).as("what was looked at").hasSizeGreaterThan(hostile.size());
    assertThat(seen).noneMatch(text -> text.contains(PASSWORD) || text.contains(encoded));
  }

  /** Each has a key of its own, so that they come over all partitions. */
  private static ProducerRecord<String, byte[]> record(
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

  private static List<String> sentTo(SimulatedAsterisk asterisk) {
    return asterisk.requests().stream()
        .filter(request -> !request.is("GET", "/events"))
        .map(RecordedRequest::toString)
        .map(HostileCommand::withoutAddedId)
        .toList();
  }
}
