// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.Fault;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tests a broker that has lost commands which were consumed already. */
class TruncatedLogIT {

  @AutoClose private static KafkaBroker kafka;

  @BeforeAll
  static void launchBroker() {
    kafka = KafkaBroker.launch();
  }

  @Test
  void continuesWhereTheLogDiffers() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, "truncated", kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        executeThree(settings, writer, controller);

        kafka.loseFrom(settings.commandsTopic(), 0, "second");
        writer.send(command(settings, "new-second"));
        writer.send(command(settings, "new-third"));
        writer.send(command(settings, "new-fourth"));

        controller.response("new-fourth");
        assertThat(MarkerCommand.executed(asterisk))
            .containsExactly("first", "second", "third", "new-second", "new-third", "new-fourth");
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.contains("Kafka lost records of"))
            .singleElement()
            .asString()
            .contains(settings.commandsTopic() + "-0")
            .contains("continuing at offset 1 instead of 3");
        assertThat(log.lines(Level.ERROR)).noneMatch(line -> line.contains("listener"));
        assertThat(proxy.health("commands")).isEqualTo("UP");
      }
    }
  }

  @Test
  void continuesWhereTheLogDiffersAfterARestart() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, "truncated", kafka);
      try (Controller controller = new Controller(settings, kafka)) {
        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          executeThree(settings, writer, controller);
        }

        kafka.loseFrom(settings.commandsTopic(), 0, "second");
        writer.send(command(settings, "new-second"));
        writer.send(command(settings, "new-third"));
        writer.send(command(settings, "new-fourth"));

        try (EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
          controller.response("new-fourth");
          assertThat(MarkerCommand.executed(asterisk))
              .containsExactly("first", "second", "third", "new-second", "new-third", "new-fourth");
        }
      }
    }
  }

  /** Otherwise a proxy that is killed would never respond to them. */
  @Test
  @FullRun("waits for the timeouts of clients; faster: the others here")
  void commitsNothingBeyondCommandsInFlight() {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      // the restart of the broker can cause a rebalance, which waits as long for commands in flight
      ProxySettings settings =
          ProxySettings.of(asterisk, "truncated", kafka).with(Setting.ARI_RESPONSE_TIMEOUT, "20s");
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        Fault slow = asterisk.faults().holdResponses(request -> request.uri().contains("slow"));
        writer.send(command(settings, "slow call", "slow"));
        writer.send(command(settings, "second"));
        controller.response("second");
        slow.awaitHits(1);

        kafka.loseFrom(settings.commandsTopic(), 0, "second");
        writer.send(command(settings, "new-second"));
        writer.send(command(settings, "new-third"));
        controller.response("new-second");
        controller.response("new-third");
        Awaitility.await("nothing committed before the response")
            .during(Duration.ofSeconds(1))
            .until(() -> committed(settings) == 0 || hasResponse(controller, "slow"));

        slow.clear();
        controller.response("slow");
        Awaitility.await("committed").until(() -> committed(settings) == 3);
      }
    }
  }

  private static boolean hasResponse(Controller controller, String commandId) {
    return controller.responses().stream().anyMatch(each -> commandId.equals(each.commandId()));
  }

  private static long committed(ProxySettings settings) {
    return kafka.committedOffset(settings.commandsTopic(), settings.commandsTopic());
  }

  private static void executeThree(
      ProxySettings settings, TopicWriter writer, Controller controller) {
    writer.send(command(settings, "first"));
    writer.send(command(settings, "second"));
    writer.send(command(settings, "third"));
    controller.response("third");
    Awaitility.await("committed").until(() -> committed(settings) == 3);
  }

  private static ProducerRecord<String, byte[]> command(ProxySettings settings, String id) {
    return command(settings, "call", id);
  }

  private static ProducerRecord<String, byte[]> command(
      ProxySettings settings, String callContext, String id) {
    return new ProducerRecord<>(
        settings.commandsTopic(), 0, callContext, MarkerCommand.json(callContext, id));
  }
}
