package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.proxy.RoutesFolder;
import io.retel.ariproxy.fixtures.proxy.RunningProxy;
import io.retel.ariproxy.settings.Setting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The routes of commands are edited while commands are carried out: 50 calls, 40 commands each. */
@ExtendWith(KafkaExtension.class)
class EditUnderCommandsIT {

  private static final int CALLS = 50;
  private static final int PER_CALL = 40;
  private static final int EDITS = 3;

  @ParameterizedTest
  @ValueSource(strings = {"commands", "execute-command"})
  void everyCommandIsCarriedOutOnceAndInTheOrderOfItsCall(
      String route, KafkaBroker kafka, @TempDir Path folder) {
    RoutesFolder routes = RoutesFolder.copyInto(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      asterisk.faults().delayAnswers(Duration.ofMillis(125));
      ProxySettings settings =
          ProxySettings.of(asterisk, "edited", kafka)
              .with(Setting.ROUTES, routes.path().toString())
              // what is repeated shall be seen at Asterisk
              .with(Setting.COMMANDS_REPEAT_SECONDS, "0");
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka);
          TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
        writer.sendAll(commands(settings.commandsTopic()));

        for (int edit = 1; edit <= EDITS; edit++) {
          String edition = "# edition " + edit + "\n";
          int editions = edit;
          routes.edit(route + ".camel.yaml", yaml -> yaml + edition);
          Awaitility.await("the edit is taken over")
              .until(
                  () ->
                      log.lines(Level.INFO).stream()
                              .filter(line -> line.contains("is taken over as it is now"))
                              .count()
                          == editions);
        }

        List<TopicRecord> answers = controller.events(CALLS * PER_CALL, record -> true);
        assertThat(answers)
            .extracting(answer -> answer.json().path("commandId").asText())
            .doesNotHaveDuplicates();
        List<String> carriedOut =
            asterisk.requests().stream()
                .map(RecordedRequest::uri)
                .filter(uri -> uri.contains("/call"))
                .toList();
        assertThat(carriedOut).hasSize(CALLS * PER_CALL);
        for (int call = 0; call < CALLS; call++) {
          String own = "/ari/channels/call" + call + "-";
          assertThat(carriedOut.stream().filter(uri -> uri.startsWith(own)))
              .containsExactlyElementsOf(
                  IntStream.range(0, PER_CALL).mapToObj(n -> own + n).toList());
        }
        assertThat(proxy.count("ari-proxy.commands.unanswered")).isZero();
      }
    }
  }

  private static List<ProducerRecord<String, byte[]>> commands(String topic) {
    List<ProducerRecord<String, byte[]>> all = new ArrayList<>();
    for (int number = 0; number < PER_CALL; number++) {
      for (int call = 0; call < CALLS; call++) {
        String id = "call" + call + "-" + number;
        all.add(
            TopicWriter.record(
                topic,
                "call" + call,
                "{\"callContext\":\"call%d\",\"commandId\":\"%s\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/channels/%s\"}}"
                    .formatted(call, id, id),
                Map.of()));
      }
    }
    return all;
  }
}
