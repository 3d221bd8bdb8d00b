// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Producers that Kafka's client does not recover, on a real broker. */
class RecoveringProducerIT {

  private static final int RECORD_SIZE = 1_000;
  private static final int LIMIT = 20_000;

  private static KafkaBroker kafka;

  private final Counter replacements = new SimpleMeterRegistry().counter("replaced");
  private final Counter headersDropped = new SimpleMeterRegistry().counter("dropped");
  private TopicLimits limits = limits(kafka.bootstrapServers(), DefaultTimeout.DURATION);
  private String topic;

  @BeforeAll
  static void launch() {
    kafka = KafkaBroker.launch();
  }

  @AfterAll
  static void close() {
    kafka.close();
  }

  @BeforeEach
  void createTopic() {
    topic = "topic-" + UUID.randomUUID();
    kafka.createTopic(topic, 1);
  }

  /** Fails when Kafka has corrected KAFKA-8350: then remove {@link TopicLimits}. */
  @Test
  void kafkaSplitsRejectedBatchesWithoutProgress() {
    kafka.setMaxMessageBytes(topic, LIMIT);
    try (KafkaProducer<Object, Object> producer = new KafkaProducer<>(options())) {
      List<Future<RecordMetadata>> sent = send(producer, 0, 60);
      Awaitility.await("splits").until(() -> TopicLimits.splitBatches(producer) > 50);
      assertThat(sent).noneMatch(Future::isDone);
      producer.close(Duration.ZERO);
    }
  }

  @Test
  void respectsLimitOfTopic() throws Exception {
    kafka.setMaxMessageBytes(topic, LIMIT);
    limits.read(List.of(topic));
    try (RecoveringProducer producer = producer()) {
      awaitAll(send(producer, 0, 100));
      assertThat(TopicLimits.splitBatches(producer)).isZero();
    }
    assertPublishedInOrder(100);
  }

  /** They would make the record larger than the topic accepts, so that it would be lost. */
  @Test
  void publishesRecordWithoutLargeHeaders() throws Exception {
    assertPublishedWithTraceparentOnly(RECORD_SIZE, 2_000_000);
  }

  /** Headers within the limit of 64 KB, and a body within that of the topic. */
  @Test
  void publishesLargeRecordWithoutHeaders() throws Exception {
    assertPublishedWithTraceparentOnly(1_040_000, 60_000);
  }

  @Test
  void publishesLargeRecordWithoutHeadersAfterLimitIsRead() throws Exception {
    kafka.setMaxMessageBytes(topic, LIMIT);
    limits.read(List.of(topic));
    assertPublishedWithTraceparentOnly(LIMIT - 1_000, 2_000);
  }

  /** The size without headers is exactly that which the topic accepts. */
  @Test
  void publishesLargestRecordWithoutTraceparent() throws Exception {
    kafka.setMaxMessageBytes(topic, LIMIT);
    limits.read(List.of(topic));
    int overhead = 75;
    try (RecoveringProducer producer = producer();
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), topic)) {
      assertThat(producer.send(new ProducerRecord<>(topic, "key", new byte[LIMIT - overhead + 1])))
          .failsWithin(DefaultTimeout.DURATION);
      producer
          .send(recordWithHeaders(LIMIT - overhead, 10))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      TopicRecord published = reader.await(1).get(0);
      assertThat(published.header("traceparent")).isNull();
      assertThat(published.header("customer")).isNull();
    }
  }

  /** The limit of the producer, which is below that of the topic. */
  @Test
  void publishesRecordWithoutHeadersThatExceedRequest() throws Exception {
    kafka.setMaxMessageBytes(topic, 2_000_000);
    limits.read(List.of(topic));
    assertPublishedWithTraceparentOnly(1_040_000, 60_000);
  }

  @Test
  void dropsHeadersAfterLimitIsLowered() throws Exception {
    limits.read(List.of(topic));
    kafka.setMaxMessageBytes(topic, LIMIT);
    try (RecoveringProducer producer = producer()) {
      assertThat(producer.send(recordWithHeaders(LIMIT - 1_000, 2_000)))
          .failsWithin(DefaultTimeout.DURATION)
          .withThrowableThat()
          .withCauseInstanceOf(RecordTooLargeException.class);
      producer.recover();
      producer
          .send(recordWithHeaders(LIMIT - 1_000, 2_000))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    }
    assertThat(kafka.recordCount(topic)).isOne();
    assertThat(headersDropped.count()).isOne();
  }

  @Test
  void keepsHeadersAfterLimitIsRaised() throws Exception {
    kafka.setMaxMessageBytes(topic, LIMIT);
    limits.read(List.of(topic));
    kafka.setMaxMessageBytes(topic, 2 * LIMIT);
    try (RecoveringProducer producer = producer();
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), topic)) {
      producer
          .send(recordWithHeaders(LIMIT - 1_000, 2_000))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      producer.recover();
      producer
          .send(recordWithHeaders(LIMIT - 1_000, 2_000))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      assertThat(reader.await(2))
          .extracting(record -> record.header("customer") != null)
          .containsExactly(false, true);
    }
  }

  @Test
  void headersBeyondOtherLimitsDoNotReadThatOfTheTopic() throws Exception {
    limits.read(List.of(topic));
    kafka.setMaxMessageBytes(topic, LIMIT);
    try (RecoveringProducer producer = producer()) {
      producer
          .send(recordWithHeaders(10, HeaderLimit.MAX_SIZE + 1))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      producer.recover();
    }
    assertThat(headersDropped.count()).isOne();
    assertThat(limits.maxMessageBytes(topic)).isNotEqualTo(LIMIT);
  }

  /** Also of unmapped events, whose value no other step checks. */
  @Test
  void rejectsRecordWithoutValue() throws Exception {
    try (RecoveringProducer producer = producer()) {
      assertThatThrownBy(() -> producer.send(new ProducerRecord<>(topic, "key", null)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("a step has replaced the record with nothing; ");
    }
    assertThat(kafka.recordCount(topic)).isZero();
  }

  private void assertPublishedWithTraceparentOnly(int bodySize, int headerSize) throws Exception {
    try (RecoveringProducer producer = producer();
        TopicReader reader = TopicReader.of(kafka.bootstrapServers(), topic)) {
      producer
          .send(recordWithHeaders(bodySize, headerSize))
          .get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
      TopicRecord published = reader.await(1).get(0);
      assertThat(published.header("traceparent")).hasSize(55);
      assertThat(published.header("customer")).isNull();
    }
    assertThat(headersDropped.count()).isOne();
  }

  private ProducerRecord<Object, Object> recordWithHeaders(int bodySize, int headerSize) {
    ProducerRecord<Object, Object> record = new ProducerRecord<>(topic, "key", new byte[bodySize]);
    record.headers().add("customer", new byte[headerSize]);
    record.headers().add("traceparent", new byte[55]);
    return record;
  }

  @Test
  void replacesProducerAfterLimitIsLowered() throws Exception {
    try (RecoveringProducer producer = producer()) {
      awaitAll(send(producer, 0, 10));
      kafka.setMaxMessageBytes(topic, LIMIT);
      List<Future<RecordMetadata>> sent = send(producer, 10, 100);
      recover(producer);
      sent.addAll(send(producer, 100, 110));
      awaitAll(sent);
    }
    assertPublishedInOrder(110);
    assertThat(kafka.recordCount(topic)).as("no duplicates").isEqualTo(110);
  }

  @Test
  @FullRun(
      "Kafka's client splits batches in a loop; replacesProducerAfterLimitIsLowered reads the limit")
  void triesSmallerBatchesIfLimitCannotBeRead() throws Exception {
    limits = limits("127.0.0.1:" + FreePort.find(), Duration.ofMillis(100));
    kafka.setMaxMessageBytes(topic, 40_000);
    try (RecoveringProducer producer = producer()) {
      List<Future<RecordMetadata>> sent = send(producer, 0, 100);
      recover(producer);
      awaitAll(sent);
    }
    assertPublishedInOrder(100);
  }

  @Test
  void rejectsOnlyRecordLargerThanLimit() throws Exception {
    try (RecoveringProducer producer = producer()) {
      awaitAll(send(producer, 0, 1));
      kafka.setMaxMessageBytes(topic, LIMIT);
      List<Future<RecordMetadata>> sent = send(producer, 1, 50);
      Future<RecordMetadata> tooLarge =
          producer.send(new ProducerRecord<>(topic, "key", new byte[2 * LIMIT]));
      sent.addAll(send(producer, 50, 100));
      recover(producer);
      awaitAll(sent);
      assertThat(tooLarge)
          .failsWithin(DefaultTimeout.DURATION)
          .withThrowableThat()
          .withCauseInstanceOf(RecordTooLargeException.class);
    }
    assertPublishedInOrder(100);
  }

  @Test
  void replacesProducerWhoseThreadHasEnded() throws Exception {
    try (RecoveringProducer producer = producer()) {
      awaitAll(send(producer, 0, 10));
      endThread(producer, 10);
      List<Future<RecordMetadata>> sent = send(producer, 11, 20);
      recover(producer);
      sent.addAll(send(producer, 20, 30));
      awaitAll(sent);
    }
    assertPublishedInOrder(30);
  }

  @Test
  void failsRecordsOnCloseAfterThreadHasEnded() throws Exception {
    AtomicInteger failed = new AtomicInteger();
    RecoveringProducer producer = producer();
    awaitAll(send(producer, 0, 10));
    endThread(producer, 10);
    Awaitility.await("end of the thread").until(() -> hasEnded(producer));
    for (int number = 11; number < 20; number++) {
      producer.send(
          record(number),
          (metadata, failure) -> {
            if (failure != null) {
              failed.incrementAndGet();
            }
          });
    }
    producer.close();
    assertThat(failed).hasValue(9);
  }

  /** An Error ends the thread; in production, a StackOverflowError after many splits. */
  private void endThread(RecoveringProducer producer, int number) {
    producer.send(
        record(number),
        (metadata, failure) -> {
          throw new StackOverflowError("test");
        });
  }

  private static boolean hasEnded(RecoveringProducer producer) {
    String clientId = producer.metrics().keySet().iterator().next().tags().get("client-id");
    return Thread.getAllStackTraces().keySet().stream()
        .noneMatch(thread -> thread.getName().endsWith("thread | " + clientId));
  }

  private void recover(RecoveringProducer producer) {
    Awaitility.await("replacement")
        .until(
            () -> {
              producer.recover();
              return replacements.count() == 1;
            });
  }

  private static TopicLimits limits(String bootstrapServers, Duration timeout) {
    return new TopicLimits(
        () -> Map.of(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers), timeout);
  }

  private RecoveringProducer producer() {
    return new RecoveringProducer(
        65_536,
        replacing -> {
          Properties options = options();
          options.putAll(replacing);
          return new MonitoredProducer(options);
        },
        limits,
        replacements,
        headersDropped);
  }

  private static Properties options() {
    Properties options = new Properties();
    options.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
    options.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, StringSerializer.class.getName());
    options.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
    options.put(ProducerConfig.BATCH_SIZE_CONFIG, 65_536);
    // fills batches
    options.put(ProducerConfig.LINGER_MS_CONFIG, 1_000);
    options.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Integer.MAX_VALUE);
    return options;
  }

  private List<Future<RecordMetadata>> send(Producer<Object, Object> producer, int from, int to) {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int number = from; number < to; number++) {
      sent.add(producer.send(record(number)));
    }
    return sent;
  }

  private ProducerRecord<Object, Object> record(int number) {
    byte[] value = new byte[RECORD_SIZE];
    value[0] = (byte) number;
    return new ProducerRecord<>(topic, "key", value);
  }

  private static void awaitAll(List<Future<RecordMetadata>> sent) throws Exception {
    for (Future<RecordMetadata> each : sent) {
      each.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS);
    }
  }

  /** Asserts that each record is published, the first time in order. */
  private void assertPublishedInOrder(int count) {
    try (TopicReader reader = TopicReader.of(kafka.bootstrapServers(), topic)) {
      List<Integer> numbers =
          reader.await((int) kafka.recordCount(topic)).stream()
              .map(record -> (int) record.value()[0])
              .distinct()
              .toList();
      assertThat(numbers).isEqualTo(IntStream.range(0, count).boxed().toList());
    }
  }
}
