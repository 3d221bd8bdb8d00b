// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.MarkerCommand;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
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

  private static final String SMALL_HEAP = "128m";

  /** More than such a heap has; 160 KB with gzip. */
  private static final int HUGE = 160 * 1024 * 1024;

  /** As many as fit in a record of 1 MB. */
  private static final List<Header> HEADERS =
      Collections.nCopies(490_000, new RecordHeader("", (byte[]) null));

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

  /** Each has an object in the heap for each header, 50 MB in all. */
  @Test
  @FullRun("HeaderLimitTest tests the limit")
  void manyHeadersNeitherFillTheHeapNorStopCommands(KafkaBroker kafka, @TempDir Path folder) {
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers())) {
      ProxySettings settings = ProxySettings.of(asterisk, "many-headers", kafka).withHeap("256m");
      String topic = settings.commandsTopic();
      kafka.addPartitions(topic, COUNT);
      for (int i = 0; i < COUNT; i++) {
        writer.send(
            new ProducerRecord<>(
                topic, i, "call", MarkerCommand.json("call-" + i, "headers-" + i), HEADERS));
      }
      try (ProxyProcess proxy = ProxyProcess.start(settings, folder.resolve("proxy.log"));
          Controller controller = new Controller(settings, kafka)) {
        for (int i = 0; i < COUNT; i++) {
          controller.response("headers-" + i);
        }
        assertThat(proxy.isAlive()).isTrue();
        assertThat(MarkerCommand.executed(asterisk)).hasSize(COUNT);
      }
    }
  }

  @ParameterizedTest
  @FullRun("KafkaStartupIT checks the option of topics that the proxy creates")
  @ValueSource(strings = {"gzip", "zstd", "lz4", "snappy"})
  void kafkaRefusesCompressedRecordsInUncompressedTopic(String compression, KafkaBroker kafka) {
    String topic = "uncompressed-" + compression;
    kafka.createTopic(topic, 1);
    kafka.setCompressionType(topic, "uncompressed");
    try (KafkaProducer<String, byte[]> producer = producer(kafka, compression);
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), topic)) {
      Future<?> large =
          producer.send(new ProducerRecord<>(topic, "call", largeCommand("large-" + compression)));
      assertThatThrownBy(large::get).hasCauseInstanceOf(RecordTooLargeException.class);
      producer.send(new ProducerRecord<>(topic, "call", MarkerCommand.json("call", "small")));
      assertThat(reader.await(record -> true).text()).contains("small");
    }
  }

  /** Kafka's consumer decompresses a record before the proxy can see its size. */
  @Test
  @FullRun("starts a proxy five times")
  @Tag(FullRun.ON_DEMAND)
  void operatorRemovesRecordThatExceedsHeap(KafkaBroker kafka, @TempDir Path folder)
      throws Exception {
    Path log = folder.resolve("proxy.log");
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        TopicWriter writer = new TopicWriter(kafka.bootstrapServers());
        KafkaProducer<String, byte[]> producer = producer(kafka, "gzip")) {
      ProxySettings settings =
          ProxySettings.of(asterisk, "exceeds-heap", kafka).withHeap(SMALL_HEAP);
      String topic = settings.commandsTopic();
      try (Controller controller = new Controller(settings, kafka)) {
        try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
          controller.execute("call", "GET", "/asterisk/ping").assertStatus(200);
          controller.awaitCommitted();
          producer.send(new ProducerRecord<>(topic, 0, "call", hugeCommand("huge"))).get();
          assertThat(proxy.awaitEnd()).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
          proxy.start();
          assertThat(proxy.awaitEnd()).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
        }
        assertThat(Files.readAllLines(log))
            .filteredOn(line -> line.contains("Topics at risk"))
            .isNotEmpty()
            .allMatch(line -> line.contains(topic + ": accepts compressed records"));

        // once with a larger heap
        try (ProxyProcess proxy = ProxyProcess.start(settings.withHeap("1g"), log)) {
          controller.response("huge").assertStatus(413);
          assertThat(proxy.terminate()).isEqualTo(143);
        }

        // or without a host that has the memory
        settings.withHeap(SMALL_HEAP);
        producer.send(new ProducerRecord<>(topic, 0, "call", hugeCommand("deleted"))).get();
        try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
          assertThat(proxy.awaitEnd()).isEqualTo(FatalErrors.EXIT_OUT_OF_MEMORY);
        }
        kafka.setCompressionType(topic, "uncompressed");
        kafka.deleteRecords(topic, 0);
        writer.send(
            new ProducerRecord<>(topic, 0, "call", MarkerCommand.json("small-call", "small")));
        try (ProxyProcess proxy = ProxyProcess.start(settings, log)) {
          controller.response("small");
          assertThat(MarkerCommand.executed(asterisk)).containsExactly("small");
          assertThat(proxy.isAlive()).isTrue();
        }
        assertThat(Files.readString(log)).contains("Kafka deleted 1 commands of " + topic + "-0");
      }
    }
  }

  /** A command with more spaces in an ignored field than the heap has bytes. */
  private static byte[] hugeCommand(String id) {
    byte[] start =
        "{\"callContext\":\"huge-call\",\"commandId\":\"%s\",\"ignored\":\""
            .formatted(id)
            .getBytes(StandardCharsets.UTF_8);
    byte[] command = new byte[HUGE];
    Arrays.fill(command, (byte) ' ');
    System.arraycopy(start, 0, command, 0, start.length);
    command[HUGE - 2] = '"';
    command[HUGE - 1] = '}';
    return command;
  }

  private static byte[] largeCommand(String id) {
    byte[] value = new byte[LARGE / 3 - 100];
    Arrays.fill(value, (byte) 'x');
    ByteArrayOutputStream command = new ByteArrayOutputStream(LARGE);
    command.writeBytes(
        utf8(
            "{\"callContext\": \"large-call\", \"ariCommand\": {\"method\": \"POST\","
                + " \"url\": \"/channels/c/variable\", \"body\": {\"a\": \""));
    command.writeBytes(value);
    command.writeBytes(utf8("\", \"b\": \""));
    command.writeBytes(value);
    command.writeBytes(utf8("\", \"c\": \""));
    command.writeBytes(value);
    command.writeBytes(utf8("\"}}, \"commandId\": \"" + id + "\"}"));
    return command.toByteArray();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static KafkaProducer<String, byte[]> producer(KafkaBroker kafka, String compression) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            kafka.bootstrapServers(),
            ProducerConfig.COMPRESSION_TYPE_CONFIG,
            compression,
            ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
            2 * HUGE,
            ProducerConfig.BUFFER_MEMORY_CONFIG,
            2L * HUGE),
        new StringSerializer(),
        new ByteArraySerializer());
  }
}
