package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.stream.DoubleStream;
import org.apache.camel.component.kafka.KafkaClientFactory;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;

/** Makes the Kafka clients of the proxy's own routes. */
public final class ProxyKafkaClientFactory implements KafkaClientFactory {

  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

  private final KafkaSecurity security;
  private final int maxInFlight;
  private final DrainTimeouts drainTimeouts;
  private final BooleanSupplier stopping;
  private final List<CommandConsumer> consumers = new CopyOnWriteArrayList<>();

  /**
   * @param security how they encrypt and log in
   * @param maxUnanswered how many commands of a consumer may wait for their answer before no more
   *     are fetched
   * @param drainTime how long the begun commands of a revoked partition may take to be answered
   * @param stopping whether the proxy stops
   */
  public ProxyKafkaClientFactory(
      KafkaSecurity security,
      int maxInFlight,
      DrainTimeouts drainTimeouts,
      BooleanSupplier stopping) {
    this.security = security;
    this.maxInFlight = maxInFlight;
    this.drainTimeouts = drainTimeouts;
    this.stopping = stopping;
  }

  @Override
  public Producer<Object, Object> getProducer(Properties properties) {
    // since Kafka 4 a client whose brokers are all gone forgets its topics, and send() waits for
    // them (seen on 4.1.1)
    properties.putIfAbsent(CommonClientConfigs.METADATA_RECOVERY_STRATEGY_CONFIG, "none");
    Properties secured = security.applyTo(properties);
    return new AuthRetryingProducer(() -> createProducer(secured));
  }

  private static Producer<Object, Object> createProducer(Properties properties) {
    return new KafkaProducer<>(properties) {
      @Override
      public void close() {
        // Kafka's own waits for ever, and with it a stop while Kafka is away; in a stop that is
        // forced the time is over, and what is lost is told of before the process ends
        boolean forced = Thread.interrupted();
        try {
          close(forced ? Duration.ZERO : CLOSE_TIMEOUT);
        } finally {
          if (forced) {
            Thread.currentThread().interrupt();
          }
        }
      }
    };
  }

  @Override
  public Consumer<Object, Object> getConsumer(Properties properties) {
    CommandConsumer consumer =
        new CommandConsumer(security.applyTo(properties), maxInFlight, drainTimeouts, stopping);
    consumers.removeIf(CommandConsumer::isClosed);
    consumers.add(consumer);
    return consumer;
  }

  /**
   * How many commands are on the topics and have not been read, or NaN while nobody reads them
   * here, or not all of them.
   */
  public double lag() {
    double[] lags =
        consumers.stream()
            .filter(consumer -> !consumer.isClosed())
            .mapToDouble(CommandConsumer::lag)
            .toArray();
    return lags.length == 0 ? Double.NaN : DoubleStream.of(lags).sum();
  }

  /** Why commands are no longer read, in a sentence. */
  public Optional<String> fencingReason() {
    return consumers.stream()
        .filter(consumer -> consumer.isFenced() && !consumer.isClosed())
        .findFirst()
        .map(
            fenced ->
                "Another proxy reads this one's commands, so that this one does not any more: each"
                    + " needs a kafka.commands-topic and a kafka.group-id of its own");
  }

  @Override
  public String getBrokers(KafkaConfiguration configuration) {
    return configuration.getBrokers();
  }
}
