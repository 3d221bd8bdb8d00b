// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.kafka.TopicLimits;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Store in the proxy's own compacted topic (docs/contract.md#topics).
 *
 * <p>This proxy is its only writer; a record without a value deletes its key.
 */
public final class KafkaStore implements CallContextStore {

  /** Kafka's default, in bytes. */
  private static final int BATCH_SIZE = 16_384;

  /**
   * Per partition: a million mappings have 150 MB. Kafka's default takes eight times the requests.
   */
  private static final int FETCH_SIZE = 8 << 20;

  /** More than the changes have that are written at once. */
  private static final long BUFFER_SIZE = 8 << 20;

  private final Supplier<Map<String, Object>> clientConfig;
  private final String topic;
  private final Duration timeout;
  private final TopicLimits limits;

  /** Not guarded by a lock: creating one resolves names, for which {@link #close} must not wait. */
  private volatile @Nullable Producer<String, String> producer;

  /** Whether the limit has been read, or cannot be; not after a batch exceeded it. */
  private boolean limitsRead;

  private volatile boolean closed;

  /**
   * @param clientConfig address and login of Kafka; queried for each new client
   * @param topic the topic, which must exist
   * @param timeout for Kafka to respond
   */
  public KafkaStore(Supplier<Map<String, Object>> clientConfig, String topic, Duration timeout) {
    this.clientConfig = clientConfig;
    this.topic = topic;
    this.timeout = timeout;
    this.limits = new TopicLimits(clientConfig, timeout);
  }

  @Override
  public void readAll(BiConsumer<String, @Nullable String> sink) throws Exception {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    config.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 10_000);
    config.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, FETCH_SIZE);
    config.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_SIZE);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      List<TopicPartition> partitions =
          consumer.partitionsFor(topic).stream()
              .map(partition -> new TopicPartition(topic, partition.partition()))
              .toList();
      if (partitions.isEmpty()) {
        throw new UnknownTopicOrPartitionException("topic " + topic + " does not exist");
      }
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> endOffsets = consumer.endOffsets(partitions);
      ReadLimit limit = new ReadLimit("topic " + topic, timeout);
      long lastProgress = System.nanoTime();
      while (!hasReached(consumer, endOffsets)) {
        limit.check();
        boolean progress = false;
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          progress = true;
          // Kafka accepts records without a key if the topic is not compacted
          sink.accept(Objects.requireNonNullElse(record.key(), ""), record.value());
        }
        long now = System.nanoTime();
        if (progress) {
          lastProgress = now;
        } else if (now - lastProgress > timeout.toNanos()) {
          throw new TimeoutException(
              "reading topic " + topic + " made no progress for " + timeout.toMillis() + " ms");
        }
      }
    }
  }

  private static boolean hasReached(
      KafkaConsumer<String, String> consumer, Map<TopicPartition, Long> endOffsets) {
    return endOffsets.entrySet().stream()
        .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
  }

  @Override
  public void write(List<Change> changes) throws Exception {
    try {
      send(changes);
    } catch (Exception e) {
      Producer<String, String> failed = producer;
      boolean exceedsLimit = failed != null && TopicLimits.splitBatches(failed) > 0;
      if (exceedsLimit) {
        limitsRead = false;
      }
      boolean isRejection = cause(e) instanceof RecordTooLargeException;
      if (exceedsLimit || !isRejection && !isTimeout(e)) {
        // it can have failed permanently (first login rejected, thread ended; seen on 4.1.1)
        discardProducer();
      }
      throw isRejection ? new RecordRejectedException(e) : e;
    }
  }

  /**
   * Returns whether Kafka did not respond in time. The producer must then be kept: a frozen broker
   * can write an expired batch later, and rejects it only after a newer one of the same producer
   * id, which has the next epoch.
   */
  private static boolean isTimeout(Exception failure) {
    return cause(failure) instanceof TimeoutException;
  }

  private static @Nullable Throwable cause(Exception failure) {
    return failure instanceof ExecutionException ? failure.getCause() : failure;
  }

  private void send(List<Change> changes) throws Exception {
    Producer<String, String> kafkaProducer = producer();
    // without metadata, send() would wait for the timeout with each change
    kafkaProducer.partitionsFor(topic);
    List<Future<?>> sent = new ArrayList<>(changes.size());
    for (Change change : changes) {
      sent.add(kafkaProducer.send(new ProducerRecord<>(topic, change.key(), change.value())));
    }
    for (Future<?> each : sent) {
      // Kafka fails each record within the timeout, unless the producer's thread has ended
      each.get(2 * timeout.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private Producer<String, String> producer() {
    Producer<String, String> current = producer;
    if (current == null) {
      current = createProducer();
      producer = current;
    }
    if (closed) {
      discardProducer();
      throw new IllegalStateException("the store is closed");
    }
    return current;
  }

  private Producer<String, String> createProducer() {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    config.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    if (!limitsRead) {
      // once, even if it fails: it logs a warning and, while Kafka is down, takes the timeout
      limits.read(List.of(topic));
      limitsRead = true;
    }
    config.put(ProducerConfig.BATCH_SIZE_CONFIG, limits.batchSize(BATCH_SIZE, List.of(topic)));
    config.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_SIZE);
    config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, timeout.toMillis());
    config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    // since Kafka 4 a client drops its metadata when all brokers are down, and waits for it again
    // (seen on 4.1.1)
    config.put(CommonClientConfigs.METADATA_RECOVERY_STRATEGY_CONFIG, "none");
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  private void discardProducer() {
    Producer<String, String> discarded = producer;
    producer = null;
    if (discarded != null) {
      discarded.close(Duration.ZERO);
    }
  }

  @Override
  public void close() {
    closed = true;
    discardProducer();
  }
}
