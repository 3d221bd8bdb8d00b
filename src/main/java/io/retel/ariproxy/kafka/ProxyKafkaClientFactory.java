// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.apache.camel.component.kafka.KafkaClientFactory;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.Deserializer;

/** Factory of the Kafka clients of the proxy's own routes. */
public final class ProxyKafkaClientFactory implements KafkaClientFactory {

  private final KafkaSecurity security;
  private final Instant start;
  private final Duration lookback;
  private final Map<String, LastConsumption> lastConsumptions = new ConcurrentHashMap<>();

  /** By group: Camel can replace a consumer before a problem has persisted. */
  private final Map<String, GroupProblems> groupProblems = new ConcurrentHashMap<>();

  private final Deserializer<Object> valueDeserializer;
  private final int maxInFlight;
  private final DrainTimeouts drainTimeouts;
  private final BooleanSupplier stopping;
  private final SkippedCommands skipped;
  private final TopicLimits topicLimits;
  private final Counter replacements;
  private final Counter headersDropped;
  private final List<RecoveringProducer> producers = new CopyOnWriteArrayList<>();
  private final List<CommandConsumer> consumers = new CopyOnWriteArrayList<>();

  /** The topics of the producers' records, once they exist. */
  private final CompletableFuture<List<String>> publishedTopics = new CompletableFuture<>();

  /**
   * @param security encryption and authentication of the clients
   * @param start of the process
   * @param lookback how much older the commands can be that a group without committed offsets
   *     starts with
   * @param valueDeserializer of commands
   * @param maxInFlight limit of incomplete commands per consumer; fetching pauses when it is
   *     reached
   * @param drainTimeouts how long to wait for the started commands of a revoked partition
   * @param stopping whether the proxy is stopping
   * @param topicLimits the largest batches of producers
   */
  public ProxyKafkaClientFactory(
      KafkaSecurity security,
      Instant start,
      Duration lookback,
      Deserializer<Object> valueDeserializer,
      int maxInFlight,
      DrainTimeouts drainTimeouts,
      BooleanSupplier stopping,
      TopicLimits topicLimits,
      MeterRegistry meters) {
    this.security = security;
    this.start = start;
    this.lookback = lookback;
    this.valueDeserializer = valueDeserializer;
    this.maxInFlight = maxInFlight;
    this.drainTimeouts = drainTimeouts;
    this.stopping = stopping;
    this.topicLimits = topicLimits;
    this.replacements = Meters.KAFKA_PRODUCERS_REPLACED.counter(meters);
    this.headersDropped = Meters.KAFKA_HEADERS_DROPPED.counter(meters);
    this.skipped = SkippedCommands.count(meters);
  }

  @Override
  public Producer<Object, Object> getProducer(Properties properties) {
    // since Kafka 4 a client drops its metadata when all brokers are down, and send() blocks on it
    // (seen on 4.1.1)
    properties.putIfAbsent(CommonClientConfigs.METADATA_RECOVERY_STRATEGY_CONFIG, "none");
    // a producer forgets a topic that is idle for 5 minutes; the next record to it would then block
    // all events during an outage
    properties.putIfAbsent(ProducerConfig.METADATA_MAX_IDLE_CONFIG, Integer.MAX_VALUE);
    Properties secured = security.applyTo(properties);
    // fails the start; the first connection is made once the topics exist
    MonitoredProducer.validate(secured);
    RecoveringProducer producer =
        new RecoveringProducer(
            MonitoredProducer.batchSize(secured),
            options -> createProducer(secured, options),
            topicLimits,
            replacements,
            headersDropped);
    producers.removeIf(RecoveringProducer::isClosed);
    producers.add(producer);
    publishedTopics.thenAcceptAsync(producer::prepare, ProxyKafkaClientFactory::startThread);
    return producer;
  }

  /**
   * Prepares current and later producers for records to these topics. Otherwise, the first record
   * to a topic that is rarely used would wait for its metadata during an outage, and all events
   * with it.
   *
   * @param topics existing topics
   */
  public void prepareProducers(List<String> topics) {
    publishedTopics.complete(List.copyOf(topics));
  }

  private static void startThread(Runnable task) {
    Thread thread = new Thread(task, "kafka-producer-prepare");
    thread.setDaemon(true);
    thread.start();
  }

  private static MonitoredProducer createProducer(
      Properties configured, Map<String, Object> replacing) {
    Properties options = new Properties();
    options.putAll(configured);
    options.putAll(replacing);
    return new MonitoredProducer(options);
  }

  /**
   * Has the producers of a topic replaced that was deleted and created again, since Kafka can
   * reject a batch of theirs permanently (seen on 4.1.1), and its partitions consumed from their
   * start. Does not wait.
   */
  public void topicRecreated(String topic, Uuid id) {
    producers.forEach(producer -> producer.requestReplacement(topic));
    openConsumers().forEach(consumer -> consumer.topicRecreated(topic, id));
  }

  /** The producers, including closed ones. */
  List<RecoveringProducer> producers() {
    return List.copyOf(producers);
  }

  /** Returns how long Kafka has throttled a producer lately. */
  Duration produceThrottleTime() {
    return longest(producers.stream().map(RecoveringProducer::throttleTime));
  }

  /** Returns how long Kafka has throttled a consumer lately. */
  Duration fetchThrottleTime() {
    return longest(openConsumers().map(CommandConsumer::throttleTime));
  }

  private static Duration longest(Stream<Duration> times) {
    return times.max(Comparator.naturalOrder()).orElse(Duration.ZERO);
  }

  @Override
  public Consumer<Object, Object> getConsumer(Properties properties) {
    // otherwise a broker could create a deleted topic with its defaults before KafkaTopics does
    properties.putIfAbsent(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
    CommandConsumer consumer =
        new CommandConsumer(
            security.applyTo(properties),
            lastConsumptions.computeIfAbsent(
                properties.getProperty(ConsumerConfig.GROUP_ID_CONFIG),
                group -> new LastConsumption(start, lookback, InstantSource.system())),
            groupProblems(properties),
            skipped,
            valueDeserializer,
            maxInFlight,
            drainTimeouts,
            stopping);
    consumers.removeIf(CommandConsumer::isClosed);
    consumers.add(consumer);
    return consumer;
  }

  /**
   * Number of commands on the topics that are not consumed yet; NaN if any consumer is not
   * consuming or none exists.
   */
  public double lag() {
    double[] lags = openConsumers().mapToDouble(CommandConsumer::lag).toArray();
    return lags.length == 0 ? Double.NaN : DoubleStream.of(lags).sum();
  }

  /** Seconds since commands were last polled, of the consumer that is late; NaN if none exists. */
  public double pollAge() {
    return openConsumers()
        .mapToDouble(consumer -> consumer.pollAge().toMillis() / 1_000.0)
        .max()
        .orElse(Double.NaN);
  }

  /** Describes in one sentence why commands are not consumed; empty if they are. */
  public Optional<String> consumptionProblem() {
    return openConsumers()
        .flatMap(
            consumer ->
                consumer.isFenced()
                    ? Stream.of(
                        "Fenced by another proxy, which consumes the commands instead: give each"
                            + " its own kafka.commands-topic and kafka.group-id")
                    : consumer
                        .missingPermission()
                        .or(consumer::stalledPoll)
                        .or(consumer.problems()::describe)
                        .or(consumer::unreadableCommands)
                        .stream())
        .findFirst();
  }

  /** Whether consumers of commands read no more, since they hold as many as they may. */
  public boolean isFetchingPaused() {
    return openConsumers().anyMatch(CommandConsumer::isFetchingPaused);
  }

  /** Number of partitions whose next command cannot be read. */
  public int unreadablePartitions() {
    return openConsumers().mapToInt(CommandConsumer::unreadablePartitions).sum();
  }

  /**
   * Skips commands that cannot be read, up to the next one that can be. Blocks while it searches.
   *
   * @return what is skipped, in words
   */
  public List<String> skipUnreadable() {
    return openConsumers().flatMap(consumer -> consumer.skipUnreadable().stream()).toList();
  }

  private GroupProblems groupProblems(Properties properties) {
    return groupProblems.computeIfAbsent(
        properties.getProperty(ConsumerConfig.GROUP_ID_CONFIG),
        group -> GroupProblems.of(properties));
  }

  private Stream<CommandConsumer> openConsumers() {
    return consumers.stream().filter(consumer -> !consumer.isClosed());
  }

  @Override
  public String getBrokers(KafkaConfiguration configuration) {
    return configuration.getBrokers();
  }
}
