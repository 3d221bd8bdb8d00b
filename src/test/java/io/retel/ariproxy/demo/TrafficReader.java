// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.demo.Envelope.Kind;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * Consumes the topics and delivers their records in the order they were sent.
 *
 * <p>Kafka guarantees order only within a partition, so each record is held briefly until older
 * ones from other partitions have arrived.
 */
final class TrafficReader implements AutoCloseable {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration POLL = Duration.ofMillis(50);
  private static final long SETTLE_MS = 150;
  private static final Comparator<Envelope> BY_TIME_AND_KIND =
      Comparator.comparingLong(Envelope::timestamp).thenComparing(Envelope::kind);

  private final Map<String, Kind> topics;
  private final Consumer<Envelope> listener;
  private final KafkaConsumer<String, String> consumer;
  private final Map<TopicPartition, Deque<Envelope>> buffered = new HashMap<>();
  private final Thread thread = new Thread(this::run, "traffic");
  private volatile boolean closing;

  private TrafficReader(String brokers, Map<String, Kind> topics, Consumer<Envelope> listener) {
    this.topics = topics;
    this.listener = listener;
    this.consumer =
        new KafkaConsumer<>(
            Map.<String, Object>of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                brokers,
                ConsumerConfig.AUTO_OFFSET_RESET_CONFIG,
                "earliest",
                ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG,
                50),
            new StringDeserializer(),
            new StringDeserializer());
  }

  /**
   * Starts consuming.
   *
   * @param topics each topic with the kind of its records
   * @param listener called by one thread
   */
  static TrafficReader start(
      String brokers, Map<String, Kind> topics, Consumer<Envelope> listener) {
    TrafficReader traffic = new TrafficReader(brokers, topics, listener);
    traffic.thread.setDaemon(true);
    traffic.thread.start();
    return traffic;
  }

  /** Consumes to the end of the topics, delivers the remaining records and stops. */
  @Override
  public void close() {
    closing = true;
    try {
      thread.join(Duration.ofSeconds(3).toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    List<TopicPartition> partitions = new ArrayList<>();
    for (String topic : topics.keySet()) {
      for (PartitionInfo partition : consumer.partitionsFor(topic)) {
        partitions.add(new TopicPartition(topic, partition.partition()));
      }
    }
    consumer.assign(partitions);
    while (!closing) {
      poll();
      deliver(System.currentTimeMillis() - SETTLE_MS);
    }
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    while (ends.entrySet().stream()
        .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
      poll();
    }
    deliver(Long.MAX_VALUE);
    consumer.close(CloseOptions.timeout(Duration.ZERO));
  }

  private void poll() {
    for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
      buffered
          .computeIfAbsent(
              new TopicPartition(record.topic(), record.partition()), key -> new ArrayDeque<>())
          .add(Envelope.of(topics.get(record.topic()), record.timestamp(), json(record.value())));
    }
  }

  private void deliver(long until) {
    while (true) {
      Deque<Envelope> next = null;
      for (Deque<Envelope> partition : buffered.values()) {
        if (!partition.isEmpty()
            && (next == null || BY_TIME_AND_KIND.compare(partition.peek(), next.peek()) < 0)) {
          next = partition;
        }
      }
      if (next == null || next.peek().timestamp() > until) {
        return;
      }
      listener.accept(next.poll());
    }
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Record is not JSON: " + text, e);
    }
  }
}
