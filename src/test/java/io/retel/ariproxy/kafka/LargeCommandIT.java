// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests commands that are larger than the heap has room for. */
@ExtendWith(KafkaExtension.class)
class LargeCommandIT {

  private static final int LARGE = 30 * 1024 * 1024;

  /** More than the process has heap, 256 MB. */
  private static final int COUNT = 12;

  @ParameterizedTest
  @FullRun("writes and reads hundreds of megabytes")
  // compressed, such a record fits in a topic with default limits
  @ValueSource(strings = {"none", "gzip"})
  void rejectsCommandsLargerThanTheHeap(
      String compression, KafkaBroker kafka, @TempDir Path folder) {
    int port = ManagementClient.freePort();
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        KafkaProducer<String, byte[]> large = producer(kafka, compression)) {
      ProxySettings settings =
          ProxySettings.of(asterisk, "large-commands", kafka)
              .with(Setting.MANAGEMENT_PORT, Integer.toString(port));
      if (compression.equals("none")) {
        kafka.setMaxMessageBytes(settings.commandsTopic(), LARGE + 1_024);
      }
      for (int i = 0; i < COUNT; i++) {
        large.send(
            new ProducerRecord<>(
                settings.commandsTopic(), i % 4, "call", largeCommand("large-" + i)));
        writer.send(
            new ProducerRecord<>(
                settings.commandsTopic(),
                i % 4,
                "call",
                MarkerCommand.json("small-call", "small-" + i)));
        large.flush();
      }
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          ManagementClient management = new ManagementClient(port);
          Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < COUNT; i++) {
          controller.response("large-" + i).assertStatus(413);
          controller.response("small-" + i);
        }
        controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
        assertThat(proxy.isAlive()).isTrue();
        assertThat(MarkerCommand.executed(asterisk)).hasSize(COUNT);
        assertThat(management.get("/observe/health").status()).isEqualTo(200);
      }
    }
  }

  private static byte[] largeCommand(String id) {
    String value = "x".repeat(LARGE / 3 - 100);
    return """
        {"callContext": "large-call", "ariCommand": {"method": "POST", "url": "/channels/c/variable",
        "body": {"a": "%s", "b": "%s", "c": "%s"}}, "commandId": "%s"}"""
        .formatted(value, value, value, id)
        .getBytes(StandardCharsets.UTF_8);
  }

  private static KafkaProducer<String, byte[]> producer(KafkaBroker kafka, String compression) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            compression,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            2 * LARGE,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            4L * LARGE),
        new StringSerializer(),
        new ByteArraySerializer());
  }
}
