// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.CommandDeserializer;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.health.KafkaProbe;
import io.retel.ariproxy.kafka.AckExecutor;
import io.retel.ariproxy.kafka.AddCopies;
import io.retel.ariproxy.kafka.DeferredCommitFactory;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.kafka.KafkaClientConfig;
import io.retel.ariproxy.kafka.KafkaPermissions;
import io.retel.ariproxy.kafka.KafkaSecurity;
import io.retel.ariproxy.kafka.KafkaSecuritySettings;
import io.retel.ariproxy.kafka.KafkaStallMonitor;
import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.kafka.ProducerRecovery;
import io.retel.ariproxy.kafka.ProxyKafkaClientFactory;
import io.retel.ariproxy.kafka.SecuredKafkaClientFactory;
import io.retel.ariproxy.kafka.Throttling;
import io.retel.ariproxy.kafka.TopicLimits;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.spi.Registry;

/** Kafka: topics, clients, and what is in flight to it. Does not connect yet. */
final class KafkaModule {

  private final CamelContext context;
  private final Settings settings;
  private final KafkaSecurity security;
  private final KafkaTopics topics;
  private final TopicLimits topicLimits;
  private final ProxyKafkaClientFactory clients;
  private final Throttling throttling;
  private final AckExecutor ackExecutor;
  private final InFlightLimiter inFlightLimiter;
  private final InFlightEvents inFlightEvents = new InFlightEvents();

  KafkaModule(CamelContext context, Settings settings, MeterRegistry meters, Gauges gauges) {
    this.context = context;
    this.settings = settings;
    this.security = KafkaSecuritySettings.read(settings);
    this.topics =
        new KafkaTopics(
                this::clientConfig,
                new KafkaTopics.NewTopics(
                    settings.get(Setting.KAFKA_CREATE_TOPICS),
                    settings.get(Setting.KAFKA_TOPIC_PARTITIONS),
                    settings.get(Setting.KAFKA_TOPIC_REPLICATION_FACTOR)),
                new KafkaPermissions(
                    () -> KafkaSecuritySettings.principal(settings),
                    settings.publishedTopics(),
                    settings.commandTopics(),
                    settings.groups()),
                settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT))
            .requireShared(settings.sharedTopics())
            .require(settings.ownTopics())
            .requireUncompressed(settings.commandTopics());
    this.topicLimits =
        new TopicLimits(this::clientConfig, settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT));
    this.clients =
        new ProxyKafkaClientFactory(
            security,
            Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime()),
            settings.get(Setting.COMMANDS_INITIAL_LOOKBACK),
            new CommandDeserializer(settings.get(Setting.ARI_MAX_REQUEST_BODY)),
            settings.get(Setting.COMMANDS_MAX_IN_FLIGHT),
            new CommandTimeouts(settings).drainTimeouts(),
            context::isStopping,
            topicLimits,
            meters);
    topics.onTopicRecreated(clients::topicRecreated);
    this.throttling = Throttling.of(clients);
    this.ackExecutor = new AckExecutor(context);
    this.inFlightLimiter =
        new InFlightLimiter(
            settings.get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES),
            ackExecutor::isCurrentThread,
            throttling);
    context
        .getComponent("kafka", KafkaComponent.class)
        .setKafkaClientFactory(new SecuredKafkaClientFactory(security));
    Registry registry = context.getRegistry();
    registry.bind("kafkaClients", clients);
    registry.bind("deferredCommitFactory", new DeferredCommitFactory());
    registry.bind("ackExecutor", ackExecutor);
    registry.bind("limitInFlight", inFlightLimiter);
    registry.bind("addCopies", new AddCopies());
    gauges.bindKafka(inFlightLimiter);
  }

  /** Returns brokers and authentication for the proxy's own clients. */
  Map<String, Object> clientConfig() {
    return KafkaClientConfig.of(context, settings.get(Setting.KAFKA_BROKERS), security);
  }

  KafkaTopics topics() {
    return topics;
  }

  /** Reads the largest batches that the topics of events and RESPONSEs accept. */
  void readTopicLimits() {
    topicLimits.read(settings.publishedTopics());
  }

  /** Prepares the producers of events and RESPONSEs, after their topics have been created. */
  void prepareProducers() {
    clients.prepareProducers(settings.publishedTopics());
  }

  ProxyKafkaClientFactory clients() {
    return clients;
  }

  /** Returns the name of the thread that handles acknowledgments if one of them has ended it. */
  Optional<String> endedAckThread() {
    return ackExecutor.endedThread();
  }

  Throttling throttling() {
    return throttling;
  }

  InFlightLimiter inFlightLimiter() {
    return inFlightLimiter;
  }

  InFlightEvents inFlightEvents() {
    return inFlightEvents;
  }

  KafkaStallMonitor stallMonitor() {
    return new KafkaStallMonitor(context, inFlightLimiter, throttling);
  }

  ProducerRecovery producerRecovery() {
    return new ProducerRecovery(context, clients);
  }

  /**
   * @param unmetPrecondition of startup
   */
  KafkaProbe probe(Supplier<Optional<String>> unmetPrecondition) {
    return new KafkaProbe(
        topics,
        settings.commandTopics(),
        () ->
            topics.haveExisted()
                ? Optional.empty()
                : unmetPrecondition.get().or(() -> Optional.of("Topics are not checked yet")));
  }
}
