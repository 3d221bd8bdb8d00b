// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Tests a commands topic with two hundred partitions. */
class ManyPartitionsIT {

  private static final int PARTITIONS = 200;

  @Test
  @FullRun("creates two hundred partitions")
  void corruptBatchStopsOneOfTwoHundredPartitions() {
    try (KafkaBroker kafka = KafkaBroker.launch();
        SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      String topic = "many-partitions";
      kafka.createTopic(topic, PARTITIONS);
      ProxySettings settings =
          ProxySettings.of(asterisk, "many", kafka).with(Setting.KAFKA_COMMANDS_TOPIC, topic);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          Controller controller = new Controller(settings, kafka)) {
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        writer.sendAll(commands(topic, "a", 10)).join();
        controller.responses(1 + 10 * PARTITIONS);
        controller.awaitCommitted();
        proxy.managedBean("Commands").invoke("pause");
        Awaitility.await()
            .until(() -> proxy.managedBean("Commands").getAttribute("State").equals("DRAINED"));
        writer.send(
            new ProducerRecord<>(topic, 100, "call", MarkerCommand.json("call", "corrupt-this")));
        kafka.corrupt(topic, 100, "corrupt-this");
        writer.sendAll(commands(topic, "b", 1)).join();
        long start = System.nanoTime();
        proxy.managedBean("Commands").invoke("resume");
        controller.responses(1 + 10 * PARTITIONS + PARTITIONS - 1);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
            .as("an idle partition is not probed for a second")
            .isLessThan(Duration.ofSeconds(PARTITIONS / 4));
        writer.sendAll(commands(topic, "c", 1)).join();
        controller.responses(1 + 10 * PARTITIONS + 2 * (PARTITIONS - 1));
        Awaitility.await("reported").until(() -> proxy.health("commands").contains(topic + "-100"));
      }
    }
  }

  private static List<ProducerRecord<String, byte[]>> commands(String topic, String id, int count) {
    List<ProducerRecord<String, byte[]>> commands = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      for (int partition = 0; partition < PARTITIONS; partition++) {
        String context = "call-" + partition;
        commands.add(
            new ProducerRecord<>(
                topic,
                partition,
                context,
                MarkerCommand.json(context, id + "-" + partition + "-" + i)));
      }
    }
    return commands;
  }
}
