// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigDef;

/** Kafka's producer, with what shows that it no longer publishes. */
final class MonitoredProducer extends KafkaProducer<Object, Object> {

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private static final String THREAD_NAME = "kafka-producer-network-thread | ";

  private final int batchSize;
  private final int maxRequestSize;
  private final Optional<Thread> sender;
  private double lastSplits;
  private volatile boolean replaced;

  MonitoredProducer(Properties options) {
    super(options);
    this.batchSize = batchSize(options);
    this.maxRequestSize = option(options, ProducerConfig.MAX_REQUEST_SIZE_CONFIG);
    this.sender = findSender();
  }

  /**
   * Validates the options of a producer as Kafka does when it creates one, except the addresses of
   * brokers. Connects to no broker.
   *
   * @throws KafkaException if an option is invalid, or contradicts another one
   */
  static void validate(Properties options) {
    // idempotence, which contradicts other options
    new ProducerConfig(options);
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket silentBroker = new ServerSocket(0, 1, loopback)) {
      Properties unconnected = new Properties();
      unconnected.putAll(options);
      // an idempotent producer would wait for the broker when it is closed
      unconnected.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
      unconnected.remove(ProducerConfig.TRANSACTIONAL_ID_CONFIG);
      unconnected.put(
          ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
          "[%s]:%d".formatted(loopback.getHostAddress(), silentBroker.getLocalPort()));
      new KafkaProducer<>(unconnected).close(Duration.ZERO);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns the batch size in a producer's options, in bytes. */
  static int batchSize(Properties options) {
    return option(options, ProducerConfig.BATCH_SIZE_CONFIG);
  }

  private static int option(Properties options, String option) {
    Object value =
        options.getOrDefault(option, ProducerConfig.configDef().defaultValues().get(option));
    return (int) ConfigDef.parseType(option, value, ConfigDef.Type.INT);
  }

  /** Finds the thread of this producer, which Kafka does not expose, by its name. */
  private Optional<Thread> findSender() {
    String name = THREAD_NAME + metrics().keySet().iterator().next().tags().get("client-id");
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals(name))
        // a configured client id is not unique
        .max(Comparator.comparing(Thread::getId));
  }

  /** Largest batch of several records, in bytes. */
  int batchSize() {
    return batchSize;
  }

  /** Largest record, in bytes. */
  int maxRequestSize() {
    return maxRequestSize;
  }

  /** Whether the thread that sends and completes records has ended. */
  boolean hasEnded() {
    return sender.filter(thread -> !thread.isAlive()).isPresent();
  }

  /** Whether Kafka has rejected a batch as too large since the previous call. */
  boolean hasSplit() {
    double splits = TopicLimits.splitBatches(this);
    boolean hasSplit = splits > lastSplits;
    lastSplits = splits;
    return hasSplit;
  }

  /** Marks the producer: it is closed, and the next one sends its unacknowledged records. */
  void markReplaced() {
    replaced = true;
  }

  /** Whether the producer is being replaced, or was. */
  boolean isReplaced() {
    return replaced;
  }

  @Override
  public void close() {
    // Kafka's own close() waits indefinitely while Kafka is down; after a forced stop it must
    // not wait at all, and lost records must be reported before the process ends
    boolean forced = Thread.interrupted();
    try {
      close(forced ? Duration.ZERO : CLOSE_TIMEOUT);
    } finally {
      if (forced) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
