// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.ResourceType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics that the proxy requires: creates missing ones, at startup and while it runs.
 *
 * <p>A topic that was deleted and created again, by this proxy, another one, or the broker's {@code
 * auto.create.topics.enable}, gets at least the partitions it had: records in flight wait for
 * theirs, and the partition of a call stays the same. Thread-safe.
 */
public final class KafkaTopics {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaTopics.class);

  /**
   * Small segments are compacted early, which keeps startup fast: a compacted topic is read from
   * its beginning.
   */
  private static final Map<String, String> COMPACTED =
      Map.of(
          TopicConfig.CLEANUP_POLICY_CONFIG,
          TopicConfig.CLEANUP_POLICY_COMPACT,
          TopicConfig.SEGMENT_BYTES_CONFIG,
          Integer.toString(16 * 1024 * 1024));

  private static final DescribeTopicsOptions WITH_ACLS =
      new DescribeTopicsOptions().includeAuthorizedOperations(true);

  private static final Duration DESCRIBE_PAUSE = Duration.ofMillis(100);

  private final Supplier<Map<String, Object>> clientConfig;
  private final NewTopics newTopics;
  private final KafkaPermissions permissions;
  private final Duration timeout;
  private final List<RequiredTopic> required = new ArrayList<>();
  private final ReentrantLock lock = new ReentrantLock();

  /** The topics as last seen; empty until all have existed. */
  private final Map<String, KnownTopic> known = new HashMap<>();

  private volatile boolean haveExisted;

  /** Topics that were created again, until their actions have succeeded. */
  private final Set<String> recreated = new HashSet<>();

  private volatile Runnable onCompactedTopicRecreated = () -> {};
  private volatile BiConsumer<String, Uuid> onTopicRecreated = (topic, id) -> {};

  /** Which ACLs are missing, as a sentence; empty if none is. */
  private volatile String missingAcls = "";

  /** The error that was logged last; empty while all topics can be used. */
  private String loggedError = "";

  private long loggedErrorNanos;

  /**
   * How missing topics are created.
   *
   * @param allowed whether they are
   * @param partitions of topics that are not compacted
   * @param replicas if Kafka has enough brokers
   */
  public record NewTopics(boolean allowed, int partitions, int replicas) {}

  /**
   * A topic as last seen.
   *
   * @param partitions those that it must have
   */
  private record KnownTopic(Uuid id, int partitions) {}

  /**
   * Thrown when a topic is missing or Kafka cannot describe it; the message includes the remedy.
   */
  public static final class TopicsUnavailableException extends Exception {

    private static final long serialVersionUID = 1L;

    TopicsUnavailableException(String message) {
      super(message, null, false, false);
    }
  }

  /**
   * @param clientConfig address and login of Kafka; queried for each new client
   * @param permissions that the proxy needs
   * @param timeout for Kafka to respond
   */
  public KafkaTopics(
      Supplier<Map<String, Object>> clientConfig,
      NewTopics newTopics,
      KafkaPermissions permissions,
      Duration timeout) {
    this.clientConfig = clientConfig;
    this.newTopics = newTopics;
    this.permissions = permissions;
    this.timeout = timeout;
  }

  /** Requires topics. */
  public KafkaTopics require(List<String> topics) {
    topics.forEach(topic -> require(topic, newTopics.partitions(), Map.of(), false));
    return this;
  }

  /** Requires topics whose partitions several consumers share. */
  public KafkaTopics requireShared(List<String> topics) {
    topics.forEach(topic -> require(topic, newTopics.partitions(), Map.of(), true));
    return this;
  }

  /** Requires a compacted topic with one partition, for one writer. */
  public KafkaTopics requireCompacted(String topic) {
    require(topic, 1, COMPACTED, false);
    return requireUncompressed(List.of(topic));
  }

  /**
   * Requires that Kafka stores records of these required topics uncompressed, so that none is
   * larger than {@code max.message.bytes}: Kafka's consumer decompresses a record before the proxy
   * can see its size.
   */
  public KafkaTopics requireUncompressed(Collection<String> topics) {
    required.replaceAll(topic -> topics.contains(topic.name()) ? topic.uncompressed() : topic);
    return this;
  }

  private void require(
      String topic, int partitions, Map<String, String> configs, boolean isShared) {
    required.add(new RequiredTopic(topic, partitions, configs, isShared));
  }

  /**
   * Sets the action for a topic that is not compacted, after it was deleted and created again;
   * called with its name and id once its partitions accept writes, and again if it fails.
   */
  public void onTopicRecreated(BiConsumer<String, Uuid> action) {
    onTopicRecreated = action;
  }

  /**
   * Sets the action that writes the content of the compacted topic, after the topic was deleted and
   * created again; called again if it fails.
   */
  public void onCompactedTopicRecreated(Runnable action) {
    onCompactedTopicRecreated = action;
  }

  /**
   * Creates missing topics.
   *
   * @throws TopicsUnavailableException if a topic is missing and cannot be created, or Kafka does
   *     not respond, or not in its protocol
   */
  public void ensure() throws TopicsUnavailableException, InterruptedException {
    // again, since a broker can have started
    requireListeners();
    try (Admin admin = createAdmin()) {
      ensure(admin);
    }
  }

  /**
   * Asks the bootstrap brokers for their versions, within 2 s.
   *
   * @throws TopicsUnavailableException if one answers in another protocol
   */
  public void requireListeners() throws TopicsUnavailableException {
    Optional<String> problem =
        PlaintextListenerCheck.problem(clientConfig.get(), PlaintextListenerCheck.TIMEOUT);
    if (problem.isPresent()) {
      throw new TopicsUnavailableException("Kafka at " + brokers() + ": " + problem.get());
    }
  }

  /** Returns which ACLs were missing at the last check, as a sentence. Thread-safe. */
  public Optional<String> missingAcls() {
    return Optional.of(missingAcls).filter(missing -> !missing.isEmpty());
  }

  /** Whether all topics have existed, with all required ACLs, since the start. */
  public boolean haveExisted() {
    return haveExisted;
  }

  /**
   * Creates a client for {@link #ensure(Admin)}.
   *
   * @throws TopicsUnavailableException if, for example, no name of a broker can be resolved
   */
  public Admin createAdmin() throws TopicsUnavailableException {
    Map<String, Object> config = new HashMap<>(clientConfig.get());
    config.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    config.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) timeout.toMillis());
    try {
      return Admin.create(config);
    } catch (KafkaException e) {
      throw undescribed(e);
    }
  }

  /**
   * Creates missing topics; logs topics that have changed since the last call, and missing ACLs.
   *
   * @return the topics by name
   * @throws TopicsUnavailableException if a topic is missing and cannot be created, an ACL is
   *     missing, or Kafka does not respond
   */
  public Map<String, TopicDescription> ensure(Admin admin)
      throws TopicsUnavailableException, InterruptedException {
    lock.lockInterruptibly();
    try {
      Map<String, TopicDescription> found = createMissing(admin);
      if (known.isEmpty()) {
        requireAcls(permissions.missing(admin, required, found));
        TopicRisks.log(admin, required, found, brokers());
        logOptionalAcls(found);
        found.forEach((name, topic) -> known.put(name, knownTopic(topic)));
        haveExisted = true;
      } else {
        compareAll(admin, found);
        requireAcls(permissions.missing(admin, required, found));
      }
      logRecovery();
      return found;
    } catch (ExecutionException | KafkaException e) {
      throw undescribed(e);
    } finally {
      lock.unlock();
    }
  }

  private void requireAcls(Collection<String> missing) throws TopicsUnavailableException {
    if (missing.isEmpty()) {
      missingAcls = "";
      return;
    }
    String sentence =
        "Kafka at " + brokers() + ": " + permissions.sentence(missing) + "; waiting for them";
    // logged first: health names nothing that the log does not
    TopicsUnavailableException unavailable = logged(new TopicsUnavailableException(sentence));
    missingAcls = sentence;
    throw unavailable;
  }

  private void logOptionalAcls(Map<String, TopicDescription> found) {
    List<String> missing = permissions.missingOptional(required, found, newTopics.allowed());
    if (!missing.isEmpty()) {
      LOG.warn("{}; continuing without them", permissions.sentence(missing));
    }
  }

  private TopicsUnavailableException undescribed(Exception e) {
    missingAcls = "";
    return new TopicsUnavailableException(
        "Kafka at "
            + brokers()
            + ": cannot describe topics "
            + required.stream().map(RequiredTopic::name).collect(Collectors.joining(", "))
            + ": "
            + KafkaErrors.describe(e));
  }

  private static KnownTopic knownTopic(TopicDescription topic) {
    return new KnownTopic(topic.topicId(), topic.partitions().size());
  }

  private Map<String, TopicDescription> createMissing(Admin admin)
      throws TopicsUnavailableException, ExecutionException, InterruptedException {
    Map<String, TopicDescription> found = describe(admin);
    List<RequiredTopic> missing =
        required.stream()
            .filter(topic -> !found.containsKey(topic.name()))
            .map(this::asBefore)
            .toList();
    if (!missing.isEmpty()) {
      if (!newTopics.allowed()) {
        throw unavailable(admin, missing, "kafka.create-topics is false");
      }
      create(admin, missing, newTopics.replicas());
      Map<String, TopicDescription> created =
          describeCreated(admin, missing.stream().map(RequiredTopic::name).toList());
      for (Map.Entry<String, TopicDescription> topic : created.entrySet()) {
        awaitLeaders(admin, topic.getKey(), topic.getValue().partitions().size());
      }
      found.putAll(created);
    }
    return found;
  }

  /**
   * Describes topics that were just created, by this proxy or another one: the broker that responds
   * can learn of them later than the one that created them.
   */
  private Map<String, TopicDescription> describeCreated(Admin admin, List<String> topics)
      throws ExecutionException, InterruptedException {
    long startNanos = System.nanoTime();
    while (true) {
      try {
        return admin.describeTopics(topics, WITH_ACLS).allTopicNames().get();
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
            || System.nanoTime() - startNanos >= timeout.toNanos()) {
          throw e;
        }
      }
      Thread.sleep(DESCRIBE_PAUSE.toMillis());
    }
  }

  /** Returns a topic with the partitions it had, if it was deleted. */
  private RequiredTopic asBefore(RequiredTopic topic) {
    KnownTopic previous = known.get(topic.name());
    return previous == null ? topic : topic.withPartitions(previous.partitions());
  }

  /** Returns the topics that exist. */
  private Map<String, TopicDescription> describe(Admin admin)
      throws TopicsUnavailableException, ExecutionException, InterruptedException {
    Map<String, TopicDescription> found = new LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    Map<String, KafkaFuture<TopicDescription>> described =
        admin
            .describeTopics(required.stream().map(RequiredTopic::name).toList(), WITH_ACLS)
            .topicNameValues();
    for (RequiredTopic topic : required) {
      try {
        found.put(topic.name(), Objects.requireNonNull(described.get(topic.name())).get());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof TopicAuthorizationException) {
          missing.addAll(permissions.missingOfUndescribed(topic));
        } else if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
      }
    }
    if (!missing.isEmpty()) {
      missing.addAll(permissions.missing(admin, required, found));
      requireAcls(missing);
    }
    return found;
  }

  /** Describes why Kafka refuses an operation on a topic. */
  private String reason(ExecutionException failure, AclOperation operation, String topic) {
    return failure.getCause() instanceof AuthorizationException
        ? permissions.sentence(
            List.of(KafkaPermissions.missing(operation, ResourceType.TOPIC, topic)))
        : ErrorMessages.singleLine(failure);
  }

  /** Creates topics with that many replicas, or as many as Kafka has brokers. */
  private void create(Admin admin, List<RequiredTopic> missing, int replicas)
      throws TopicsUnavailableException, ExecutionException, InterruptedException {
    List<RequiredTopic> tooManyReplicas = new ArrayList<>();
    Map<String, KafkaFuture<Void>> results =
        admin
            .createTopics(missing.stream().map(topic -> topic.withReplicas(replicas)).toList())
            .values();
    for (RequiredTopic topic : missing) {
      try {
        Objects.requireNonNull(results.get(topic.name())).get();
        LOG.info(
            "Topic created: {}, partitions: {}, replicas: {}",
            topic.name(),
            topic.partitions(),
            replicas);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof InvalidReplicationFactorException && replicas > 1) {
          tooManyReplicas.add(topic);
        } else if (!(e.getCause() instanceof TopicExistsException)) {
          throw unavailable(
              admin,
              List.of(topic),
              "creating it failed: " + reason(e, AclOperation.CREATE, topic.name()));
        }
      }
    }
    if (!tooManyReplicas.isEmpty()) {
      create(admin, tooManyReplicas, replicas - 1);
    }
  }

  /**
   * Waits until the partitions of a new topic accept writes.
   *
   * <p>Otherwise the broker can reject a producer's first batch and accept the next; it then
   * rejects the first permanently because of its sequence number (seen on 4.1.1).
   */
  private static void awaitLeaders(Admin admin, String topic, int partitions)
      throws ExecutionException, InterruptedException {
    Map<TopicPartition, OffsetSpec> latest =
        IntStream.range(0, partitions)
            .mapToObj(partition -> new TopicPartition(topic, partition))
            .collect(Collectors.toMap(Function.identity(), partition -> OffsetSpec.latest()));
    // only a ready leader responds; the client retries until then
    admin.listOffsets(latest).all().get();
  }

  /** Compares all topics, also after one whose partitions cannot be added. */
  private void compareAll(Admin admin, Map<String, TopicDescription> found)
      throws TopicsUnavailableException, ExecutionException, InterruptedException {
    List<String> errors = new ArrayList<>();
    for (RequiredTopic topic : required) {
      try {
        compare(admin, topic, Objects.requireNonNull(found.get(topic.name())));
      } catch (TopicsUnavailableException e) {
        errors.add(String.valueOf(e.getMessage()));
      }
    }
    if (!errors.isEmpty()) {
      missingAcls = "";
      throw logged(new TopicsUnavailableException(String.join("; ", errors)));
    }
  }

  private void compare(Admin admin, RequiredTopic topic, TopicDescription found)
      throws TopicsUnavailableException, ExecutionException, InterruptedException {
    KnownTopic previous = Objects.requireNonNull(known.get(topic.name()));
    int partitions = found.partitions().size();
    int target = Math.max(partitions, previous.partitions());
    if (!found.topicId().equals(previous.id())) {
      recreated.add(topic.name());
      LOG.warn(
          "Topic {} was deleted and created again: its earlier records are lost; partitions: {},"
              + " previously {}",
          topic.name(),
          partitions,
          previous.partitions());
      if (topic.isUncompressed() && !topic.isCompacted()) {
        TopicRisks.log(admin, List.of(topic), Map.of(topic.name(), found), brokers());
      }
    } else if (partitions > previous.partitions()) {
      LOG.warn(
          "Topic {} has {} partitions instead of {}: records of calls in progress move to other"
              + " partitions, and can be consumed out of order (docs/scaling.md#partitions)",
          topic.name(),
          partitions,
          previous.partitions());
    }
    known.put(topic.name(), new KnownTopic(found.topicId(), target));
    if (recreated.contains(topic.name()) && topic.isCompacted()) {
      restoreCompacted(admin, topic, found);
      recreated.remove(topic.name());
    }
    if (partitions < target) {
      try {
        addPartitions(admin, topic, partitions, target);
      } catch (TopicsUnavailableException e) {
        // its clients continue with those that it has
        reportRecreated(admin, topic.name(), found.topicId(), partitions);
        throw e;
      }
    }
    reportRecreated(admin, topic.name(), found.topicId(), target);
  }

  private void reportRecreated(Admin admin, String topic, Uuid id, int partitions)
      throws ExecutionException, InterruptedException {
    if (recreated.contains(topic)) {
      awaitLeaders(admin, topic, partitions);
      onTopicRecreated.accept(topic, id);
      recreated.remove(topic);
    }
  }

  /** Without compaction, Kafka would delete old records and thus call contexts. */
  private void restoreCompacted(Admin admin, RequiredTopic topic, TopicDescription found)
      throws InterruptedException {
    if (newTopics.allowed()) {
      try {
        List<AlterConfigOp> options = new ArrayList<>();
        topic
            .configs()
            .forEach(
                (key, value) ->
                    options.add(
                        new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET)));
        admin
            .incrementalAlterConfigs(
                Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic.name()), options))
            .all()
            .get();
      } catch (ExecutionException e) {
        LOG.debug("Options of {} not set: {}", topic.name(), ErrorMessages.singleLine(e));
      }
    }
    TopicRisks.log(admin, List.of(topic), Map.of(topic.name(), found), brokers());
    onCompactedTopicRecreated.run();
  }

  private void addPartitions(Admin admin, RequiredTopic topic, int current, int target)
      throws TopicsUnavailableException, InterruptedException {
    String reason = "kafka.create-topics is false";
    if (newTopics.allowed()) {
      try {
        admin.createPartitions(Map.of(topic.name(), NewPartitions.increaseTo(target))).all().get();
        return;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof InvalidPartitionsException) {
          // another proxy has added them
          return;
        }
        reason = "adding them failed: " + reason(e, AclOperation.ALTER, topic.name());
      }
    }
    throw new TopicsUnavailableException(
        ("Topic %s has %d partitions instead of %d, and records for the others wait: %s. Add them:"
                + " kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions %d")
            .formatted(topic.name(), current, target, reason, brokers(), topic.name(), target));
  }

  private TopicsUnavailableException unavailable(
      Admin admin, List<RequiredTopic> missing, String reason)
      throws ExecutionException, InterruptedException {
    missingAcls = "";
    int brokerCount = admin.describeCluster().nodes().get().size();
    int replicas = Math.min(newTopics.replicas(), brokerCount);
    String names = missing.stream().map(RequiredTopic::name).collect(Collectors.joining(", "));
    String commands =
        missing.stream()
            .map(topic -> topic.createCommand(brokers(), replicas))
            .collect(Collectors.joining(" && "));
    return logged(
        new TopicsUnavailableException(
            "Kafka has no topic " + names + ": " + reason + ". Create it: " + commands));
  }

  /** Logs an error while the proxy runs, once; at startup the caller logs it. */
  private TopicsUnavailableException logged(TopicsUnavailableException error) {
    String message = String.valueOf(error.getMessage());
    if (!known.isEmpty() && !message.equals(loggedError)) {
      if (loggedError.isEmpty()) {
        loggedErrorNanos = System.nanoTime();
      }
      loggedError = message;
      LOG.error("{}", message);
    }
    return error;
  }

  private void logRecovery() {
    if (!loggedError.isEmpty()) {
      loggedError = "";
      LOG.info(
          "All topics can be used again after {} s",
          Duration.ofNanos(System.nanoTime() - loggedErrorNanos).toSeconds());
    }
  }

  private String brokers() {
    return String.valueOf(clientConfig.get().get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG));
  }
}
