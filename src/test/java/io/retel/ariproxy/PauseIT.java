package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.RecordedRequest;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** An operator pauses the commands under load: 50 calls, 40 commands each. */
@ExtendWith(KafkaExtension.class)
class PauseIT {

  private static final String APP = "paused";
  private static final int CALLS = 50;
  private static final int PER_CALL = 40;

  /** How the url of a call's command in the middle ends: those behind it wait for its answer. */
  private static final String MIDDLE = "-" + PER_CALL / 2;

  @Test
  void commandsDrainWaitInKafkaAndGoOnEachCarriedOutOnceInTheOrderOfItsCall(
      KafkaBroker kafka, @TempDir Path folder) {
    RoutesFolder routes = RoutesFolder.copyInto(folder);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog()) {
      asterisk.faults().delayAnswers(Duration.ofMillis(100));
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka)
              .with(Setting.ROUTES, routes.path().toString())
              // what is repeated shall be seen at Asterisk
              .with(Setting.COMMANDS_REPEAT_SECONDS, "0");
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka);
          TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
        asterisk.awaitConnected(APP);
        ManagedBean commands = proxy.jmx("Commands");
        assertThat(commands.get("State")).isEqualTo("RUNNING");
        Fault halfWay = asterisk.faults().hang(request -> request.uri().endsWith(MIDDLE));
        writer.sendAll(commands(settings.commandsTopic()));
        controller.events(300, PauseIT::isResponse);
        assertThat((int) commands.get("UnderWay")).isPositive();
        assertThat(proxy.gauge("ari-proxy.commands.paused")).isZero();
        assertThat(proxy.gauge("ari-proxy.commands.lag")).isNotNegative();

        commands.call("pause");
        // those that are under way by now are waited for
        halfWay.lift();
        await(commands, "DRAINED");

        assertThat(commands.get("UnderWay")).isEqualTo(0);
        assertThat(commands.get("Waiting")).isEqualTo(0);
        assertThat((String[]) commands.get("ReadBy")).isEmpty();
        assertThat(proxy.health("commands"))
            .startsWith("UP: Commands are paused by an operator since ");
        assertThat(proxy.gauge("ari-proxy.commands.paused")).isOne();
        assertThat(proxy.gauge("ari-proxy.commands.lag")).as("what nobody reads").isNaN();
        int carriedOut = carriedOut(asterisk).size();
        assertThat(carriedOut).isBetween(300, CALLS * PER_CALL - 1);

        // events go on, and an edit does not end the pause
        String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "meanwhile")).id();
        controller.event("meanwhile", "STASIS_START", payload -> true);
        routes.edit("commands.camel.yaml", yaml -> yaml + "# edited\n");
        awaitLine(log, "commands.camel.yaml is taken over as it is now");
        asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "later"));
        controller.event("later", "STASIS_START", payload -> true);
        assertThat(commands.get("State")).isEqualTo("DRAINED");
        assertThat(carriedOut(asterisk)).hasSize(carriedOut);
        assertThat(asterisk.channels()).contains(channel);

        commands.call("resume");

        List<TopicRecord> answers = controller.events(CALLS * PER_CALL, PauseIT::isResponse);
        assertThat(answers)
            .extracting(answer -> answer.json().path("commandId").asText())
            .doesNotHaveDuplicates();
        assertEachOnceInOrder(carriedOut(asterisk));
        assertThat(commands.get("State")).isEqualTo("RUNNING");
        assertThat(commands.get("PausedSince")).isEqualTo("");
        assertThat((String[]) commands.get("ReadBy")).containsExactly("commands");
        assertThat(proxy.health("commands")).isEqualTo("UP");
        assertThat(proxy.gauge("ari-proxy.commands.paused")).isZero();
        assertThat(proxy.gauge("ari-proxy.commands.lag")).isNotNegative();
        for (String said :
            List.of("Commands are paused", "Commands are drained", "Commands are resumed")) {
          assertThat(log.lines(Level.INFO)).filteredOn(line -> line.contains(said)).hasSize(1);
        }
      }
    }
  }

  @Test
  void aPauseThatIsEndedAtOnceRepeatsNothing(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      asterisk.faults().delayAnswers(Duration.ofMillis(50));
      ProxySettings settings =
          ProxySettings.of(asterisk, APP, kafka).with(Setting.COMMANDS_REPEAT_SECONDS, "0");
      try (RunningProxy proxy = RunningProxy.start(settings);
          Controller controller = new Controller(settings, kafka);
          TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
        asterisk.awaitConnected(APP);
        ManagedBean commands = proxy.jmx("Commands");
        writer.sendAll(commands(settings.commandsTopic()));
        controller.events(300, PauseIT::isResponse);

        for (int i = 0; i < 3; i++) {
          commands.call("pause");
          commands.call("resume");
          await(commands, "RUNNING");
        }

        controller.events(CALLS * PER_CALL, PauseIT::isResponse);
        assertEachOnceInOrder(carriedOut(asterisk));
      }
    }
  }

  @Test
  void aRouteThatIsStoppedByHandIsToldOfUntilItIsStarted(KafkaBroker kafka) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = ProxySettings.of(asterisk, APP, kafka);
      try (RunningProxy proxy = RunningProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        awaitHealth(proxy, "UP");
        ManagedBean route = proxy.camelJmx("routes", "commands");
        route.call("stop");
        assertThat(proxy.health("commands"))
            .isEqualTo("UP: Stopped by hand, until somebody starts it: [commands]");
        route.call("start");
        awaitHealth(proxy, "UP");
      }
    }
  }

  private static void awaitHealth(RunningProxy proxy, String said) {
    Awaitility.await(said).until(() -> ((String[]) proxy.jmx("Commands").get("ReadBy")).length > 0);
    Awaitility.await(said).until(() -> proxy.health("commands"), said::equals);
  }

  private static void await(ManagedBean commands, String state) {
    Awaitility.await("commands are " + state).until(() -> commands.get("State"), state::equals);
  }

  private static void awaitLine(CapturedLog log, String part) {
    Awaitility.await(part)
        .until(() -> log.lines(Level.INFO).stream().anyMatch(line -> line.contains(part)));
  }

  private static List<String> carriedOut(SimulatedAsterisk asterisk) {
    return asterisk.requests().stream()
        .map(RecordedRequest::uri)
        .filter(uri -> uri.contains("/call"))
        .toList();
  }

  private static void assertEachOnceInOrder(List<String> carriedOut) {
    assertThat(carriedOut).hasSize(CALLS * PER_CALL);
    for (int call = 0; call < CALLS; call++) {
      String own = "/ari/channels/call" + call + "-";
      assertThat(carriedOut.stream().filter(uri -> uri.startsWith(own)))
          .containsExactlyElementsOf(IntStream.range(0, PER_CALL).mapToObj(n -> own + n).toList());
    }
  }

  private static boolean isResponse(TopicRecord record) {
    return "RESPONSE".equals(record.json().path("type").asText());
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
