// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Tests batches of commands that the proxy cannot read. */
@ExtendWith(KafkaExtension.class)
class UnreadableBatchIT {

  @Test
  void corruptBatchStopsOnlyItsPartitionUntilAnOperatorSkipsIt() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        CapturedLog log = new CapturedLog()) {
      ProxySettings settings = ProxySettings.of(asterisk, "unreadable", kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping");
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        String marker = "corrupt-this";
        long offset = writer.send(command(settings, 0, marker)).offset();
        writer.send(command(settings, 0, "behind"));
        kafka.corrupt(settings.commandsTopic(), 0, marker);
        commands.invoke("resume");

        // the other partition is consumed
        writer.send(command(settings, 1, "other"));
        controller.response("other");
        Awaitility.await("health reports the batch")
            .until(
                () ->
                    proxy
                        .health("commands")
                        .startsWith(
                            "DOWN: Cannot read commands of %s-0 from offset %d: "
                                .formatted(settings.commandsTopic(), offset)));
        writer.send(command(settings, 1, "another"));
        controller.response("another");
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("other", "another");
        assertThat(log.lines(Level.ERROR)).as("one line, not one for each poll").hasSize(1);
        assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("corrupt"));

        assertThat((String[]) commands.invoke("skipUnreadable"))
            .containsExactly(
                "offsets %d to %d of %s-0".formatted(offset, offset, settings.commandsTopic()));

        controller.response("behind");
        assertThat(MarkerCommand.executed(asterisk)).containsExactly("other", "another", "behind");
        assertThat(proxy.counter("ari-proxy.commands.skipped", "reason", "unreadable")).isOne();
        assertThat(proxy.health("commands")).isEqualTo("UP");
        assertThat(log.lines(Level.WARN))
            .filteredOn(line -> line.contains("Skipped 1 commands"))
            .hasSize(1);
        assertThat((String[]) commands.invoke("skipUnreadable")).isEmpty();
      }
    }
  }

  @Test
  void batchThatTheBrokerCannotReadStopsOnlyItsPartition() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, "unreadable", kafka);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        writer.send(command(settings, 0, "corrupt-this"));
        controller.response("corrupt-this");
        ManagedBean commands = proxy.managedBean("Commands");
        commands.invoke("pause");
        Awaitility.await().until(() -> commands.getAttribute("State").equals("DRAINED"));
        // to find it, the broker reads the batch before
        writer.send(command(settings, 0, "behind"));
        kafka.corruptLength(settings.commandsTopic(), 0, "corrupt-this");
        commands.invoke("resume");
        writer.send(command(settings, 1, "other"));

        controller.response("other");
        Awaitility.await("health reports the batch")
            .until(
                () ->
                    proxy
                        .health("commands")
                        .startsWith(
                            "DOWN: Cannot read commands of %s-0 from offset 1: Encountered corrupt"
                                    .formatted(settings.commandsTopic())
                                + " message"));
        writer.send(command(settings, 1, "another"));
        controller.response("another");
        assertThat(MarkerCommand.executed(asterisk))
            .containsExactly("corrupt-this", "other", "another");
      }
    }
  }

  @Test
  void codecWithoutLibraryStopsOnlyItsPartition(@TempDir Path folder, KafkaBroker kafka)
      throws IOException {
    Path log = folder.resolve("proxy.log");
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        KafkaProducer<String, byte[]> snappy = snappyProducer(kafka)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, "unreadable", kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
              // as a temporary directory that is mounted noexec
              .withCamelProperty("org.xerial.snappy.tempdir", "/proc/self/not-writable");
      // fetched together
      writer.send(command(settings, 0, "before"));
      snappy.send(command(settings, 0, "compressed"));
      snappy.flush();
      try (ProxyProcess proxy = ProxyProcess.start(settings, log);
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        Awaitility.await("the batch is reported")
            .until(() -> Files.readString(log).contains("Cannot read commands of "));

        writer.send(command(settings, 1, "other"));
        controller.response("other");
        controller.response("before");
        assertThat(MarkerCommand.executed(asterisk)).containsExactlyInAnyOrder("before", "other");
        assertThat(management.metric("ari_proxy_commands_unreadable")).isOne();
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("Cannot read commands of "))
            .singleElement()
            .asString()
            .contains(settings.commandsTopic() + "-0 from offset 1: ")
            .containsIgnoringCase("snappy");
        assertThat(proxy.isAlive()).isTrue();
      }
    }
  }

  private static KafkaProducer<String, byte[]> snappyProducer(KafkaBroker kafka) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            "snappy"),
        new StringSerializer(),
        new ByteArraySerializer());
  }

  private static ProducerRecord<String, byte[]> command(
      ProxySettings settings, int partition, String id) {
    return new ProducerRecord<>(
        settings.commandsTopic(),
        partition,
        "call-" + partition,
        MarkerCommand.json("call-" + partition, id));
  }
}
