// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.micrometer.core.instrument.Counter;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.kafka.UnacknowledgedRecords.UnacknowledgedRecord;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.camel.util.ObjectHelper;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Producer that recovers from what Kafka's own producer never recovers from (seen on 4.1.1):
 *
 * <ul>
 *   <li>A rejected login or a broker's name that cannot be resolved. Kafka's producer cannot be
 *       constructed without a resolvable name, and fails permanently if its first login is
 *       rejected, since an idempotent producer requests its id only once. So {@code send} blocks
 *       and each attempt uses a new producer, until a login succeeds.
 *   <li>Batches larger than the topic accepts, which it splits without progress ({@link
 *       TopicLimits}), the end of its thread, and a batch that Kafka rejects forever because its
 *       topic was deleted and created again. {@link #recover} replaces it; the new producer sends
 *       all unacknowledged records again, in order. Those that the old one had written are
 *       published twice.
 *   <li>A missing ACL. Kafka's producer fails the record, and would publish later ones before it
 *       once the ACL is back. It is closed at once; {@link #recover} tries again with the next one.
 * </ul>
 *
 * <p>Thread-safe. Does not support transactions.
 */
final class RecoveringProducer implements Producer<Object, Object> {

  private static final Logger LOG = LoggerFactory.getLogger(RecoveringProducer.class);

  /** Each record can have too many headers. */
  private static final Duration HEADERS_LOG_INTERVAL = Duration.ofMinutes(1);

  private static final Duration RETRY_INTERVAL = Duration.ofMillis(500);

  /** Interval of attempts while an ACL is missing: each sends all unacknowledged records again. */
  private static final Duration ACL_RETRY_INTERVAL = Duration.ofSeconds(3);

  /** For acknowledgements in flight, so that their records are not sent twice. */
  private static final Duration REPLACE_TIMEOUT = Duration.ofSeconds(1);

  private final Function<Map<String, Object>, MonitoredProducer> factory;
  private final TopicLimits limits;
  private final Counter replacements;
  private final Counter headersDropped;
  private final AtomicLong headersLoggedNanos =
      new AtomicLong(System.nanoTime() - HEADERS_LOG_INTERVAL.toNanos());
  private final ReentrantLock authenticationLock = new ReentrantLock();

  /** Read by senders, written while a producer is replaced. */
  private final ReadWriteLock replacementLock = new ReentrantReadWriteLock();

  private final UnacknowledgedRecords unacknowledged = new UnacknowledgedRecords();

  /** Topics published to. */
  private final Set<String> topics = ConcurrentHashMap.newKeySet();

  /** Topics that the next records can be for. */
  private final Set<String> prepared = ConcurrentHashMap.newKeySet();

  private volatile int batchSize;
  private volatile @Nullable MonitoredProducer producer;

  /** A topic of this producer that was deleted and created again. */
  private volatile @Nullable String recreatedTopic;

  /**
   * Whether a topic has rejected a record that its limit, as it was read, permits, or may accept a
   * larger one.
   */
  private volatile boolean limitOutdated;

  private volatile boolean authenticated;
  private volatile boolean closed;

  /** Whether Kafka has refused a record since it last accepted one, and since when. */
  private volatile boolean refused;

  private long refusedSinceNanos;
  private volatile long refusedNanos;

  /**
   * @param batchSize batch size of the first producer, in bytes, if the topics accept it
   * @param factory creates Kafka producers, with options that replace the configured ones; those
   *     are valid ({@link MonitoredProducer#validate})
   * @param replacements counts replaced producers
   * @param headersDropped counts records whose headers are dropped
   */
  RecoveringProducer(
      int batchSize,
      Function<Map<String, Object>, MonitoredProducer> factory,
      TopicLimits limits,
      Counter replacements,
      Counter headersDropped) {
    this.batchSize = batchSize;
    this.factory = factory;
    this.limits = limits;
    this.replacements = replacements;
    this.headersDropped = headersDropped;
  }

  /** Creates a producer; empty while no broker's name can be resolved. */
  private Optional<MonitoredProducer> create() {
    Set<String> expected = new HashSet<>(topics);
    expected.addAll(prepared);
    Map<String, Object> options = new HashMap<>();
    options.put(ProducerConfig.BATCH_SIZE_CONFIG, limits.batchSize(batchSize, expected));
    if (refused || !limits.areKnown(expected)) {
      // of a new producer, Kafka accepts the second batch after rejecting the first one as too
      // large: in the wrong order (seen on 4.1.1); or after refusing it, if the ACL is back between
      // the two
      options.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
    }
    try {
      return Optional.of(factory.apply(options));
    } catch (KafkaException e) {
      if (!KafkaErrors.isNameUnknown(e)) {
        throw e;
      }
      return Optional.empty();
    }
  }

  /**
   * Waits until Kafka accepts the login and the producer has the metadata of the topics, so that
   * the first record waits for neither; returns early if the producer is closed.
   */
  void prepare(List<String> expected) {
    prepared.addAll(expected);
    for (String topic : expected) {
      try {
        partitionsFor(topic);
      } catch (KafkaException | IllegalStateException e) {
        // send() reports it
      }
    }
  }

  @Override
  public Future<RecordMetadata> send(ProducerRecord<Object, Object> record) {
    return send(record, null);
  }

  @Override
  public Future<RecordMetadata> send(
      ProducerRecord<Object, Object> record, @Nullable Callback callback) {
    if (record.value() == null) {
      // it would be published as a deletion
      throw OutgoingRecord.replacedWith("nothing");
    }
    topics.add(record.topic());
    awaitAuthentication(record.topic());
    while (!current().isReplaced() && !canAuthenticate(current(), record.topic())) {
      backOff();
    }
    UnacknowledgedRecord sent = new UnacknowledgedRecord(limitHeaders(record), callback);
    lock(replacementLock.readLock());
    try {
      unacknowledged.add(sent);
      transmit(sent);
    } catch (RuntimeException e) {
      unacknowledged.remove(sent);
      throw e;
    } finally {
      replacementLock.readLock().unlock();
    }
    return sent;
  }

  /** Drops headers that could make the record larger than its topic accepts. */
  private ProducerRecord<Object, Object> limitHeaders(ProducerRecord<Object, Object> record) {
    int maxSize = Math.min(limits.maxMessageBytes(record.topic()), current().maxRequestSize());
    Optional<ProducerRecord<Object, Object>> limited = HeaderLimit.limit(record, maxSize);
    if (limited.isEmpty()) {
      return record;
    }
    headersDropped.increment();
    long now = System.nanoTime();
    long logged = headersLoggedNanos.get();
    if (now - logged >= HEADERS_LOG_INTERVAL.toNanos()
        && headersLoggedNanos.compareAndSet(logged, now)) {
      LOG.warn(
          "Record published without headers on {}: it has more than 100, or 64 KB of them, or"
              + " exceeds {} bytes with them; limit what steps of routes add",
          record.topic(),
          maxSize);
      // it may have been raised
      if (maxSize == limits.maxMessageBytes(record.topic())
          && limits.areKnown(Set.of(record.topic()))
          && HeaderLimit.isWithin(record.headers())) {
        limitOutdated = true;
      }
    }
    return limited.get();
  }

  /** Passes a record to Kafka's producer; if that one is being replaced, the next one sends it. */
  private void transmit(UnacknowledgedRecord sent) {
    MonitoredProducer target = current();
    if (target.isReplaced()) {
      return;
    }
    try {
      target.send(
          sent.record(),
          (metadata, failure) -> {
            if (failure == null) {
              accept();
            } else if (isRefusal(failure)) {
              refuse(target, sent.record().topic(), failure);
            } else if (failure instanceof RecordTooLargeException) {
              checkLimit(sent.record());
            }
            if (failure == null || !target.isReplaced()) {
              unacknowledged.complete(sent, metadata, failure);
            }
          });
    } catch (InterruptException e) {
      throw e;
    } catch (RuntimeException e) {
      if (isRefusal(e)) {
        refuse(target, sent.record().topic(), e);
      }
      if (!target.isReplaced() || closed) {
        throw e;
      }
    }
  }

  /** Has {@link #recover} read the limits again if a topic accepts less than it did. */
  private void checkLimit(ProducerRecord<Object, Object> rejected) {
    String topic = rejected.topic();
    if (limits.areKnown(Set.of(topic))
        && HeaderLimit.fits(rejected, limits.maxMessageBytes(topic))) {
      limitOutdated = true;
    }
  }

  private static boolean isRefusal(Exception failure) {
    return ObjectHelper.getException(AuthorizationException.class, failure) != null;
  }

  /** Closes a producer whose record Kafka has refused, so that later ones do not overtake it. */
  private void refuse(MonitoredProducer target, String topic, Exception failure) {
    boolean isFirst;
    synchronized (unacknowledged) {
      if (target.isReplaced()) {
        return;
      }
      target.markReplaced();
      isFirst = !refused;
      refused = true;
      refusedNanos = System.nanoTime();
      if (isFirst) {
        refusedSinceNanos = refusedNanos;
      }
    }
    if (isFirst) {
      LOG.warn(
          "Kafka does not permit Write on topic {}, records wait: {} (docs/security.md#acls)",
          topic,
          ErrorMessages.singleLine(failure));
    }
    target.close(Duration.ZERO);
  }

  private void accept() {
    if (!refused) {
      return;
    }
    synchronized (unacknowledged) {
      if (refused) {
        refused = false;
        LOG.info(
            "Kafka permits publishing again after {} s",
            Duration.ofNanos(System.nanoTime() - refusedSinceNanos).toSeconds());
      }
    }
  }

  /** The producer; exists after {@link #awaitAuthentication}. */
  private MonitoredProducer current() {
    return Objects.requireNonNull(producer);
  }

  private void awaitAuthentication(String topic) {
    if (authenticated) {
      return;
    }
    lock(authenticationLock);
    try {
      if (!authenticated) {
        connect(topic);
        authenticated = true;
      }
    } finally {
      authenticationLock.unlock();
    }
  }

  private static void lock(Lock lock) {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /** Creates producers until Kafka accepts the login of one. */
  private void connect(String topic) {
    boolean accepted = false;
    while (!accepted) {
      discardRejected();
      Optional<MonitoredProducer> candidate = create();
      candidate.ifPresent(created -> producer = created);
      if (closed) {
        candidate.ifPresent(created -> created.close(Duration.ZERO));
        throw new IllegalStateException("The producer is closed");
      }
      accepted = candidate.isPresent() && canAuthenticate(candidate.get(), topic);
      if (!accepted) {
        backOff();
      }
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

  /** Has {@link #recover} replace the producer if it has published to the topic. */
  void requestReplacement(String topic) {
    if (topics.contains(topic)) {
      recreatedTopic = topic;
    }
  }

  /**
   * Replaces Kafka's producer if it no longer publishes. Call it about once a second, on one
   * thread: it waits for Kafka.
   */
  void recover() {
    if (!authenticated) {
      return;
    }
    // read after authenticated: before, it can be a rejected one
    MonitoredProducer watched = current();
    boolean ended = watched.hasEnded();
    boolean splitting = watched.hasSplit();
    boolean silent = unacknowledged.isSilent();
    if (closed) {
      return;
    }
    if (limitOutdated) {
      limitOutdated = false;
      limits.read(topics);
    }
    if (watched.isReplaced()) {
      // the previous attempt failed, or Kafka refused a record
      if (!refused || System.nanoTime() - refusedNanos >= ACL_RETRY_INTERVAL.toNanos()) {
        sendAgain();
      }
    } else if (ended) {
      replace(watched, watched.batchSize(), "its thread has ended");
    } else if (recreatedTopic != null) {
      recreatedTopic = null;
      replace(watched, watched.batchSize(), "its topic was created again");
    } else if (splitting) {
      limits.read(topics);
      int accepted = limits.batchSize(watched.batchSize(), topics);
      if (accepted < watched.batchSize()) {
        replace(watched, accepted, "its batches exceed max.message.bytes");
      } else if (silent) {
        // the limit cannot be read
        replace(watched, accepted / 2, "its batches are rejected as too large");
      }
    }
  }

  private void replace(MonitoredProducer old, int newBatchSize, String reason) {
    old.markReplaced();
    batchSize = newBatchSize;
    // a timeout of zero would not wake senders if its thread has ended
    old.close(REPLACE_TIMEOUT);
    LOG.warn(
        "Producer of topics {} replaced, {}: {} records sent again, in batches of up to {} bytes"
            + " instead of {}",
        topics,
        reason,
        unacknowledged.size(),
        newBatchSize,
        old.batchSize());
    replacements.increment();
    sendAgain();
  }

  private void sendAgain() {
    Optional<String> topic = Stream.concat(topics.stream(), prepared.stream()).findFirst();
    if (topic.isEmpty()) {
      return;
    }
    lock(replacementLock.writeLock());
    try {
      connect(topic.get());
      for (UnacknowledgedRecord sent : unacknowledged.inOrder()) {
        try {
          transmit(sent);
        } catch (RuntimeException e) {
          unacknowledged.complete(sent, null, e);
        }
      }
    } catch (RuntimeException e) {
      if (!closed) {
        throw e;
      }
    } finally {
      replacementLock.writeLock().unlock();
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
    failUnacknowledged();
  }

  @Override
  public void close(Duration timeout) {
    closed = true;
    if (producer != null) {
      producer.close(timeout);
    }
    failUnacknowledged();
  }

  /** Completes what Kafka's producer does not: it has ended, or was being replaced. */
  private void failUnacknowledged() {
    unacknowledged.failAll(new KafkaException("The producer is closed"));
  }

  boolean isClosed() {
    return closed;
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

  /** Returns how long Kafka has throttled the current producer lately. */
  Duration throttleTime() {
    return Throttling.longest(metrics(), "produce-throttle-time-max");
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
