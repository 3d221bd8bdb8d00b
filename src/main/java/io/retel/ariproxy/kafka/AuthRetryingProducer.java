// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.jspecify.annotations.Nullable;

/**
 * Producer that treats a rejected login, or a broker's name that cannot be resolved, as an outage:
 * {@code send} blocks until Kafka accepts it.
 *
 * <p>Kafka's own producer cannot be constructed without a resolvable name. Kafka's own producer
 * would instead fail records for topics without metadata. If its first login is rejected it fails
 * permanently, since an idempotent producer requests its id only once (seen on 4.1.1). So until a
 * login succeeds, each attempt uses a new producer. Thread-safe. Does not support transactions.
 */
final class AuthRetryingProducer implements Producer<Object, Object> {

  private static final Duration RETRY_INTERVAL = Duration.ofMillis(500);

  private final Supplier<Producer<Object, Object>> factory;
  private final ReentrantLock authenticationLock = new ReentrantLock();
  private volatile @Nullable Producer<Object, Object> producer;
  private volatile boolean authenticated;
  private volatile boolean closed;

  /**
   * @param factory creates Kafka producers; called once in the constructor, so that invalid options
   *     fail immediately
   */
  AuthRetryingProducer(Supplier<Producer<Object, Object>> factory) {
    this.factory = factory;
    create().ifPresent(valid -> valid.close(Duration.ZERO));
  }

  /** Creates a producer; empty while no broker's name can be resolved. */
  private Optional<Producer<Object, Object>> create() {
    try {
      return Optional.of(factory.get());
    } catch (KafkaException e) {
      if (!KafkaErrors.isNameUnknown(e)) {
        throw e;
      }
      return Optional.empty();
    }
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<Object, Object> record) {
    return send(record, null);
  }

  @Override
  public Future<RecordMetadata> send(
      ProducerRecord<Object, Object> record, @Nullable Callback callback) {
    if (!authenticated) {
      awaitAuthentication(record.topic());
    }
    while (!canAuthenticate(current(), record.topic())) {
      backOff();
    }
    return current().send(record, callback);
  }

  /** The producer; exists after {@link #awaitAuthentication}. */
  private Producer<Object, Object> current() {
    return Objects.requireNonNull(producer);
  }

  private void awaitAuthentication(String topic) {
    try {
      authenticationLock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
    try {
      while (!authenticated) {
        discardRejected();
        Optional<Producer<Object, Object>> candidate = create();
        producer = candidate.orElse(null);
        if (closed) {
          candidate.ifPresent(created -> created.close(Duration.ZERO));
          throw new IllegalStateException("The producer is closed");
        }
        authenticated = candidate.isPresent() && canAuthenticate(candidate.get(), topic);
        if (!authenticated) {
          backOff();
        }
      }
    } finally {
      authenticationLock.unlock();
    }
  }

  /** Closes the rejected producer, or one whose sender was interrupted while waiting. */
  private void discardRejected() {
    if (producer != null) {
      producer.close(Duration.ZERO);
    }
  }

  /** Waits for the metadata of the topic; returns false if the login is rejected. */
  private boolean canAuthenticate(Producer<Object, Object> candidate, String topic) {
    try {
      candidate.partitionsFor(topic);
      return true;
    } catch (AuthenticationException e) {
      return false;
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      // send() reports any other error
      return true;
    }
  }

  private static void backOff() {
    try {
      Thread.sleep(RETRY_INTERVAL.toMillis());
    } catch (InterruptedException e) {
      // restores the interrupt status
      throw new InterruptException(e);
    }
  }

  @Override
  public void flush() {
    if (authenticated) {
      current().flush();
    }
  }

  @Override
  public void close() {
    closed = true;
    if (producer != null) {
      producer.close();
    }
  }

  @Override
  public void close(Duration timeout) {
    closed = true;
    if (producer != null) {
      producer.close(timeout);
    }
  }

  @Override
  public List<PartitionInfo> partitionsFor(String topic) {
    awaitAuthentication(topic);
    return current().partitionsFor(topic);
  }

  @Override
  public Map<MetricName, ? extends Metric> metrics() {
    Producer<Object, Object> current = producer;
    return current == null ? Map.of() : current.metrics();
  }

  @Override
  public Uuid clientInstanceId(Duration timeout) {
    throw unsupported();
  }

  @Override
  public void registerMetricForSubscription(KafkaMetric metric) {
    throw unsupported();
  }

  @Override
  public void unregisterMetricFromSubscription(KafkaMetric metric) {
    throw unsupported();
  }

  @Override
  public void initTransactions() {
    throw unsupported();
  }

  @Override
  public void beginTransaction() {
    throw unsupported();
  }

  @Override
  public void sendOffsetsToTransaction(
      Map<TopicPartition, OffsetAndMetadata> offsets, ConsumerGroupMetadata group) {
    throw unsupported();
  }

  @Override
  public void commitTransaction() {
    throw unsupported();
  }

  @Override
  public void abortTransaction() {
    throw unsupported();
  }

  /** Used neither by the proxy nor by Camel's component. */
  private static UnsupportedOperationException unsupported() {
    return new UnsupportedOperationException(
        "The proxy's producers support neither transactions nor telemetry");
  }
}
