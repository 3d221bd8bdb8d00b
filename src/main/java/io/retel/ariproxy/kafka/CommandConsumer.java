// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Consumer of commands that complete out of order and are committed in order.
 *
 * <p>Each poll commits the commands completed since the last one. Records completed earlier are
 * dropped, and fetching pauses while too many commands are incomplete. The revocation of a
 * partition waits for its started commands; the next owner executes the others.
 *
 * <p>Finds its start offsets itself ({@link StartOffsets}), and a batch that cannot be read stops
 * only its partition ({@link UnreadableBatches}).
 *
 * <p>Runs on the polling thread, as Kafka requires; only {@link CommandHandle} is thread-safe.
 */
final class CommandConsumer extends KafkaConsumer<Object, Object> {

  private static final Logger LOG = LoggerFactory.getLogger(CommandConsumer.class);

  /**
   * Commit interval while commands are incomplete. A crash repeats incomplete commands and those
   * completed within this interval.
   */
  private static final Duration COMMIT_INTERVAL = Duration.ofMillis(20);

  /**
   * Interval at which offsets are committed again without a change, as Kafka's own consumers do: a
   * broker can lose commits that it has acknowledged.
   */
  private static final Duration REPEATED_COMMIT_INTERVAL = Duration.ofSeconds(5);

  /** Delay between login attempts after a rejection. */
  private static final Duration AUTHENTICATION_RETRY_INTERVAL = Duration.ofMillis(500);

  /** Time without a rejection after which consumption counts as permitted again. */
  private static final Duration PERMISSION_RECOVERY = Duration.ofSeconds(3);

  /** Without Kafka, a stop must not wait longer: what is not committed is executed again. */
  private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(1);

  private static final Duration FINAL_COMMIT_TIMEOUT = Duration.ofSeconds(3);

  /** Maximum size of a key, the ordering key of commands without a call context. */
  private static final int MAX_KEY_BYTES = 65_536;

  /** Maximum size of what remains of a record that is too large for a command. */
  private static final int MAX_REDUCED_BYTES = 4 * 65_536;

  private static final Deserializer<Object> KEY_DESERIALIZER =
      (topic, key) ->
          key == null ? null : new String(key, 0, Math.min(key.length, MAX_KEY_BYTES), UTF_8);

  /** Interval of checks whether the member that has fenced this one has expired. */
  private static final Duration FENCED_CHECK_INTERVAL = Duration.ofSeconds(3);

  private final OffsetTracker tracker = new OffsetTracker();
  private final UnreadableBatches unreadable;
  private final StartOffsets startOffsets;
  private final TopicIds topicIds;
  private final SkippedCommands skipped;
  private final LastConsumption lastConsumption;
  private final FetchPause fetchPause;
  private final GroupProblems problems;
  private final BooleanSupplier stopping;
  private final RevocationDrain drain;
  private final AuthenticationState authentication;

  /** Why Kafka does not permit consumption; empty if it does. */
  private volatile String notPermitted = "";

  private long notPermittedNanos;

  /**
   * Whether the consumer has no group instance id, so that leaving the group reassigns its
   * partitions immediately.
   */
  private final boolean dynamicMember;

  /** Partitions of the topic at the last assignment; all belong to a static member. */
  private int partitions = 1;

  private final StaticMember self;

  private final String groupId;

  /** Longest time between polls: the drain of a rebalance, and a request of Kafka's client. */
  private final Duration maxPollAge;

  /** Time after which a member without a heartbeat expires. */
  private final Duration sessionTimeout;

  private volatile boolean retired;

  /** Written on the polling thread. */
  private volatile double lag = Double.NaN;

  private volatile boolean fenced;

  /** Since when Kafka reports the member that has fenced this one. */
  private long memberSinceNanos;

  private long fencedCheckNanos;
  private volatile boolean draining;
  private volatile boolean closed;

  /** Newest ids of topics that were deleted and created again. */
  private final Map<String, Uuid> announced = new ConcurrentHashMap<>();

  /** Those of which the partitions have not been started again yet. */
  private final Map<String, Uuid> recreated = new ConcurrentHashMap<>();

  private volatile Moment lastPoll = Moment.now();

  private long lastCommit = System.nanoTime();

  private final PollPace pace = new PollPace(System::nanoTime, COMMIT_INTERVAL);

  /** Whether this consumer has its partitions. */
  private boolean assigned;

  /**
   * @param lastConsumption of the group, which limits the age of the commands that it starts with
   *     without committed offsets
   * @param problems of the group
   * @param valueDeserializer of commands
   * @param maxInFlight limit of incomplete commands; fetching pauses when it is reached
   * @param drainTimeouts how long to wait for the started commands of a revoked partition
   * @param stopping whether the proxy is stopping
   */
  CommandConsumer(
      Properties properties,
      LastConsumption lastConsumption,
      GroupProblems problems,
      SkippedCommands skipped,
      Deserializer<Object> valueDeserializer,
      int maxInFlight,
      DrainTimeouts drainTimeouts,
      BooleanSupplier stopping) {
    super(withoutOffsetReset(properties), KEY_DESERIALIZER, valueDeserializer);
    this.unreadable =
        new UnreadableBatches(
            withoutOffsetReset(properties), KEY_DESERIALIZER, valueDeserializer, System::nanoTime);
    this.skipped = skipped;
    this.lastConsumption = lastConsumption;
    this.startOffsets =
        new StartOffsets(
            lastConsumption::oldestCommand,
            new RecentCommands(unreadable::newReader, InstantSource.system(), System::nanoTime),
            skipped);
    this.topicIds = new TopicIds(properties);
    this.fetchPause = new FetchPause(tracker, maxInFlight);
    this.stopping = stopping;
    this.self = new StaticMember(properties);
    this.groupId = String.valueOf(properties.get(ConsumerConfig.GROUP_ID_CONFIG));
    this.sessionTimeout =
        DrainTimeouts.option(properties, ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG);
    this.dynamicMember = properties.get(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG) == null;
    this.problems = problems;
    this.authentication =
        new AuthenticationState(this::metrics, System::nanoTime, problems.loginRejected());
    DrainTimeouts effectiveTimeouts = drainTimeouts.limitedBy(properties);
    // when a static member stops, its commands have already been given time to complete
    this.maxPollAge =
        effectiveTimeouts
            .running()
            .plus(DrainTimeouts.option(properties, ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG))
            .plus(FINAL_COMMIT_TIMEOUT)
            .plus(COMMIT_TIMEOUT);
    this.drain =
        new RevocationDrain(
            tracker,
            dynamicMember
                ? effectiveTimeouts
                : new DrainTimeouts(effectiveTimeouts.running(), Duration.ZERO),
            stopping);
  }

  /** Makes Kafka report missing and invalid offsets instead of choosing others silently. */
  private static Properties withoutOffsetReset(Properties properties) {
    Properties result = new Properties();
    result.putAll(properties);
    result.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    return result;
  }

  /** Returns the handle of the command at an offset. */
  CommandHandle handle(TopicPartition partition, long offset) {
    return tracker.handle(partition, offset);
  }

  @Override
  public ConsumerRecords<Object, Object> poll(Duration timeout) {
    lastPoll = Moment.now();
    if (dynamicMember && !retired && stopping.getAsBoolean()) {
      // hands the partitions to other members while this proxy completes its started commands
      retired = true;
      unsubscribe();
    }
    if (fenced && !retired) {
      awaitExpiry();
    }
    if (retired || fenced) {
      LockSupport.parkNanos(timeout.toNanos());
      return ConsumerRecords.empty();
    }
    try {
      ConsumerRecords<Object, Object> polled = commitAndPoll(timeout);
      if (authentication.recovered()) {
        LOG.info("Kafka accepts the login again: consuming {}", subscription());
      }
      if (!notPermitted.isEmpty()
          && System.nanoTime() - notPermittedNanos >= PERMISSION_RECOVERY.toNanos()) {
        notPermitted = "";
        LOG.info("Kafka permits consumption again: consuming {}", subscription());
      }
      assigned = checkAssignment();
      lag =
          assigned && !authentication.isRejected() && notPermitted.isEmpty()
              ? totalLag()
              : Double.NaN;
      return polled;
    } catch (FencedInstanceIdException e) {
      fenced = true;
      memberSinceNanos = System.nanoTime();
      fencedCheckNanos = memberSinceNanos;
      lag = Double.NaN;
      tracker.releasePartitions(assignment());
      LOG.error(
          "Fenced, no longer consuming {}: another proxy has joined the group as {}. Give each proxy"
              + " its own kafka.commands-topic and kafka.group-id, then restart this one",
          subscription(),
          groupMetadata().groupInstanceId().orElse(""));
      return ConsumerRecords.empty();
    } catch (AuthenticationException e) {
      // Camel would stop consuming permanently
      lag = Double.NaN;
      if (authentication.rejected()) {
        LOG.warn(
            "Kafka rejected the login, not consuming {}: {}",
            subscription(),
            KafkaErrors.describe(e));
      }
      LockSupport.parkNanos(AUTHENTICATION_RETRY_INTERVAL.toNanos());
      return ConsumerRecords.empty();
    } catch (AuthorizationException e) {
      // as above: Camel would stop or reconnect
      lag = Double.NaN;
      notPermittedNanos = System.nanoTime();
      if (notPermitted.isEmpty()) {
        LOG.warn(
            "Kafka does not permit consumption, not consuming {}: {}; check its ACLs"
                + " (docs/security.md#acls)",
            subscription(),
            ErrorMessages.singleLine(e));
      }
      notPermitted = ErrorMessages.singleLine(e);
      LockSupport.parkNanos(AUTHENTICATION_RETRY_INTERVAL.toNanos());
      return ConsumerRecords.empty();
    } catch (WakeupException | InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      // Camel replaces this consumer
      problems
          .unassigned()
          .present(() -> "Commands are not consumed: " + ErrorMessages.singleLine(e));
      throw e;
    } catch (Error e) {
      // ends Camel's consumer, which does not log it
      FatalErrors.exitIfOutOfMemory(e);
      LOG.error("Consumer of {} ended", subscription(), e);
      throw e;
    }
  }

  /**
   * Returns whether this consumer has its partitions: all, or its share of a topic that several
   * proxies consume. Kafka's client neither throws nor logs if it has none.
   */
  private boolean checkAssignment() {
    boolean complete =
        dynamicMember ? groupMetadata().generationId() >= 0 : assignment().size() >= partitions;
    if (complete) {
      problems.unassigned().ended();
    } else {
      problems
          .unassigned()
          .present(
              () ->
                  ("Commands are not consumed: %s of %s assigned to this proxy; the group %s has no"
                          + " coordinator (topic __consumer_offsets), or other consumers use it")
                      .formatted(
                          assignment().isEmpty()
                              ? "no partition"
                              : assignment().size() + " of " + partitions + " partitions",
                          String.join(", ", subscription()),
                          groupId));
    }
    return complete;
  }

  /**
   * Waits for the member that has fenced this one to expire. If it does, it has never sent a
   * heartbeat: no other proxy exists, but the broker has confused members of this one, such as
   * after it lost the end of its log. Otherwise gives up, since a new consumer would fence the
   * other proxy, which would rejoin in turn.
   *
   * @throws KafkaException if it has expired, for Camel to create a new consumer: a fenced one
   *     never recovers (seen on 4.1.1)
   */
  private void awaitExpiry() {
    long now = System.nanoTime();
    if (now - fencedCheckNanos < FENCED_CHECK_INTERVAL.toNanos() || stopping.getAsBoolean()) {
      return;
    }
    fencedCheckNanos = now;
    try {
      switch (self.presence()) {
        case ABSENT -> {
          LOG.info("No other proxy is in the group: consuming {} again", subscription());
          throw new KafkaException("Fenced by a member that has expired");
        }
        case PRESENT -> retired = now - memberSinceNanos >= 2 * sessionTimeout.toNanos();
        // a broker that starts gives each member its session timeout again
        case UNKNOWN -> memberSinceNanos = System.nanoTime();
      }
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  private ConsumerRecords<Object, Object> commitAndPoll(Duration timeout) {
    Map<String, Uuid> ids = Map.copyOf(recreated);
    if (!ids.isEmpty()) {
      start(Set.of(), ids);
      recreated.entrySet().removeAll(ids.entrySet());
    }
    commitCompleted();
    pauseOrResume();
    boolean settled = assigned && !fetchPause.isPaused() && unreadable.partitions().isEmpty();
    Duration pollTimeout = pace.timeout(timeout, tracker.incomplete() > 0, settled);
    try {
      ConsumerRecords<Object, Object> polled =
          unreadable.poll(this, super::poll, pollTimeout, tracker::position);
      if (polled.isEmpty()) {
        return polled;
      }
      pace.received();
      return accept(polled);
    } catch (OffsetOutOfRangeException e) {
      Map<String, Uuid> current = currentTopicIds(e.offsetOutOfRangePartitions().keySet());
      if (tracker.recreated(current).isEmpty()) {
        reset(e);
      } else {
        // the next poll starts their partitions
        current.forEach(recreated::putIfAbsent);
      }
      return ConsumerRecords.empty();
    }
  }

  /**
   * Starts partitions that have just been assigned, and all others of topics that were deleted and
   * created again.
   *
   * @param ids of topics, as far as they are known
   */
  private void start(Collection<TopicPartition> assigned, Map<String, Uuid> ids) {
    Set<TopicPartition> started = new HashSet<>(tracker.recreated(ids));
    started.addAll(assigned);
    unreadable.revoked(started);
    if (!fetchPause.isPaused()) {
      resume(started);
    }
    Map<TopicPartition, OffsetAndMetadata> committed =
        startOffsets.seek(this, started, ids, tracker.acknowledgedOffsets(started));
    Map<TopicPartition, Long> positions =
        started.stream().collect(Collectors.toMap(Function.identity(), this::startPosition));
    tracker.setTopicIds(ids);
    positions.forEach(
        (partition, position) -> tracker.assigned(partition, position, committed.get(partition)));
  }

  /**
   * Has the next poll start the partitions of a topic again that was deleted and created again.
   * Kafka's consumer does not: it would continue at the same offset. Thread-safe.
   */
  void topicRecreated(String topic, Uuid id) {
    announced.put(topic, id);
    recreated.put(topic, id);
  }

  /** Returns the newest ids known, since a broker can lag behind. */
  private Map<String, Uuid> currentTopicIds(Collection<TopicPartition> partitions) {
    Set<String> topics = topics(partitions);
    Map<String, Uuid> ids = tracker.topicIds(topics);
    ids.putAll(topicIds.of(topics));
    announced.forEach((topic, id) -> ids.computeIfPresent(topic, (name, stale) -> id));
    return ids;
  }

  private static Set<String> topics(Collection<TopicPartition> partitions) {
    return partitions.stream().map(TopicPartition::topic).collect(Collectors.toSet());
  }

  /** Returns the position of a partition that has just been assigned. */
  private long startPosition(TopicPartition partition) {
    try {
      return position(partition);
    } catch (OffsetOutOfRangeException e) {
      reset(e);
      return position(partition);
    }
  }

  private void reset(OffsetOutOfRangeException e) {
    e.offsetOutOfRangePartitions().forEach((partition, offset) -> reset(partition, offset, e));
  }

  /** Continues a partition whose next offset does not exist in Kafka. */
  private void reset(TopicPartition partition, long position, OffsetOutOfRangeException e) {
    OffsetAndMetadata divergent =
        e instanceof LogTruncationException truncation
            ? truncation.divergentOffsets().get(partition)
            : null;
    if (divergent == null) {
      startOffsets.restart(this, partition, position);
    } else {
      LOG.warn(
          "Kafka lost records of {} (unclean leader election): continuing at offset {} instead of {}",
          partition,
          divergent.offset(),
          position);
      seek(partition, divergent);
    }
    long next = position(partition);
    if (next > position) {
      tracker.skipTo(partition, next);
    } else {
      tracker.truncated(partition, next);
    }
  }

  private long totalLag() {
    return assignment().stream().mapToLong(partition -> currentLag(partition).orElse(0)).sum();
  }

  /**
   * Number of records not consumed yet in the assigned partitions; NaN while not consuming.
   * Thread-safe.
   */
  double lag() {
    return lag;
  }

  /** Returns the time since the start of the last poll. Thread-safe. */
  Duration pollAge() {
    return Moment.now().since(lastPoll);
  }

  /** Describes in one sentence that its thread no longer polls; empty if it does. Thread-safe. */
  Optional<String> stalledPoll() {
    Duration age = pollAge();
    return age.compareTo(maxPollAge) > 0
        ? Optional.of(
            "Commands of group %s were last polled %d s ago; the limit is %d s"
                .formatted(groupId, age.toSeconds(), maxPollAge.toSeconds()))
        : Optional.empty();
  }

  /** Returns how long Kafka has throttled this consumer lately. Thread-safe. */
  Duration throttleTime() {
    return Throttling.longest(metrics(), "fetch-throttle-time-max");
  }

  /** Returns whether another consumer has replaced this one. Thread-safe. */
  boolean isFenced() {
    return fenced;
  }

  /** Describes in one sentence why Kafka does not permit consumption; empty if it does. */
  Optional<String> missingPermission() {
    return Optional.of(notPermitted)
        .filter(reason -> !reason.isEmpty())
        .map(reason -> "Kafka does not permit consumption: " + reason);
  }

  /** Returns the problems of its group. */
  GroupProblems problems() {
    return problems;
  }

  /** Returns whether the consumer is closed. Thread-safe. */
  boolean isClosed() {
    return closed;
  }

  /**
   * Called by Camel when the route takes long to stop. Ignored during a drain, since it would
   * prevent the final commit; the current poll ends without it.
   */
  @Override
  public void wakeup() {
    if (!draining) {
      super.wakeup();
    }
  }

  /** The overload that Camel's component calls. */
  @Override
  public void close() {
    closed = true;
    super.close();
  }

  @Override
  public void subscribe(Collection<String> topics, ConsumerRebalanceListener listener) {
    super.subscribe(topics, new RebalanceListener(listener));
  }

  @Override
  public void subscribe(Pattern pattern, ConsumerRebalanceListener listener) {
    super.subscribe(pattern, new RebalanceListener(listener));
  }

  private void commitCompleted() {
    long now = System.nanoTime();
    if (now - lastCommit < COMMIT_INTERVAL.toNanos()) {
      return;
    }
    if (now - lastCommit >= REPEATED_COMMIT_INTERVAL.toNanos()) {
      tracker.retryCommit(assignment());
    }
    if (startCommit()) {
      lastCommit = now;
    }
  }

  /** Commits what has changed since the last call, if anything. */
  private boolean startCommit() {
    Map<TopicPartition, OffsetAndMetadata> completed = tracker.offsetsToCommit();
    if (!completed.isEmpty()) {
      commitAsync(
          completed,
          (offsets, failure) -> {
            if (failure == null) {
              lastConsumption.record();
              tracker.acknowledged(offsets);
              problems.uncommitted().ended();
            } else {
              LOG.debug("Commit of {} failed, retrying: {}", offsets, failure.toString());
              tracker.commitFailed(offsets.keySet(), failure);
              if (failure instanceof RebalanceInProgressException) {
                // it waits for other members
                return;
              }
              problems
                  .uncommitted()
                  .present(
                      () ->
                          "Kafka does not acknowledge offsets of the group %s, so that a restart would execute commands again: %s"
                              .formatted(groupId, ErrorMessages.singleLine(failure)));
            }
          });
    }
    return !completed.isEmpty();
  }

  private void pauseOrResume() {
    boolean wasPaused = fetchPause.isPaused();
    if (fetchPause.update()) {
      // includes newly assigned partitions
      pause(assignment());
      return;
    }
    if (wasPaused) {
      Set<TopicPartition> readable = new HashSet<>(assignment());
      readable.removeAll(unreadable.partitions());
      resume(readable);
    }
    unreadable.retry(this, this::onSkipped);
  }

  private void onSkipped(TopicPartition partition, UnreadableBatches.Skip skip) {
    tracker.skipTo(partition, skip.to());
    skipped.unreadable().increment(skip.to() - skip.from());
    LOG.warn(
        "Skipped {} commands of {} on request, since they cannot be read (offsets {} to {})",
        skip.to() - skip.from(),
        partition,
        skip.from(),
        skip.to() - 1);
  }

  /** Whether nothing is fetched, since the commands in flight reach a limit. Thread-safe. */
  boolean isFetchingPaused() {
    return fetchPause.isPaused() && !fenced && !retired;
  }

  /** Describes in one sentence which commands cannot be read; empty if all can. Thread-safe. */
  Optional<String> unreadableCommands() {
    return unreadable.describe();
  }

  /** Number of partitions whose next command cannot be read. Thread-safe. */
  int unreadablePartitions() {
    return unreadable.partitions().size();
  }

  /**
   * Skips all commands up to the next one that can be read, in each partition that has any.
   * Thread-safe; blocks while it searches.
   *
   * @return what is skipped
   */
  List<String> skipUnreadable() {
    return unreadable.requestSkips();
  }

  /** Returns the records that are not handled yet, with limited headers. */
  private ConsumerRecords<Object, Object> accept(ConsumerRecords<Object, Object> polled) {
    Map<TopicPartition, List<ConsumerRecord<Object, Object>>> accepted = new HashMap<>();
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<Object, Object>> records = new ArrayList<>();
      tracker.recordLeaderEpoch(partition, leaderEpoch(polled.records(partition)));
      for (ConsumerRecord<Object, Object> record : polled.records(partition)) {
        if (tracker.accept(partition, record.offset(), size(record))) {
          records.add(HeaderLimit.limit(record));
        }
      }
      if (!records.isEmpty()) {
        accepted.put(partition, records);
      }
    }
    return new ConsumerRecords<>(accepted, polled.nextOffsets());
  }

  private static Optional<Integer> leaderEpoch(List<ConsumerRecord<Object, Object>> records) {
    return records.get(records.size() - 1).leaderEpoch();
  }

  /**
   * Returns the heap of a record, in bytes. A character outside Latin-1 makes each one of a text
   * take two.
   */
  static int size(ConsumerRecord<Object, Object> record) {
    return 2 * Math.min(Math.max(0, record.serializedKeySize()), MAX_KEY_BYTES)
        + (record.value() instanceof byte[] value
            ? value.length
            : 2 * Math.min(Math.max(0, record.serializedValueSize()), MAX_REDUCED_BYTES));
  }

  /** Updates the tracker on rebalances, then calls Camel's listener. */
  private final class RebalanceListener implements ConsumerRebalanceListener {

    private final ConsumerRebalanceListener delegate;

    RebalanceListener(ConsumerRebalanceListener delegate) {
      this.delegate = delegate;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) {
        try {
          CommandConsumer.this.partitions =
              topics(partitions).stream().mapToInt(topic -> partitionsFor(topic).size()).sum();
          start(partitions, currentTopicIds(partitions));
        } catch (AuthenticationException | AuthorizationException e) {
          // poll() would retry without assigning them again; Camel reconnects instead
          throw new KafkaException("Rejected while partitions were assigned", e);
        }
      }
      tracker.rebalanced();
      delegate.onPartitionsAssigned(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      delegate.onPartitionsRevoked(partitions);
      tracker.releasePartitions(partitions);
      awaitDrain(partitions);
      commitCompletedSync();
      partitions.forEach(tracker::revoked);
      unreadable.revoked(partitions);
      problems.uncommitted().forget();
    }

    /**
     * Commits once with leader epochs, so that a log that was truncated during the drain is
     * detected, and otherwise without.
     */
    private void commitCompletedSync() {
      try {
        startCommit();
        // waits for commits in flight
        commitSync(Map.of(), COMMIT_TIMEOUT);
      } catch (KafkaException e) {
        LOG.debug("Commit with leader epochs failed: {}", e.toString());
      }
      Map<TopicPartition, OffsetAndMetadata> completed = tracker.finalOffsetsToCommit();
      try {
        if (!completed.isEmpty()) {
          commitSync(completed, FINAL_COMMIT_TIMEOUT);
          tracker.acknowledged(completed);
        }
      } catch (KafkaException e) {
        tracker.commitFailed(completed.keySet(), e);
        LOG.warn(
            "Final commit of {} failed, completed commands can be executed again: {}",
            completed.keySet(),
            e.toString());
      }
    }

    private void awaitDrain(Collection<TopicPartition> partitions) {
      long startNanos = System.nanoTime();
      draining = true;
      int remaining = drain.await(partitions);
      draining = false;
      if (remaining > 0) {
        LOG.warn(
            "Drain ended: {} commands of {} incomplete after {} ms; the next owner executes them",
            remaining,
            partitions,
            Duration.ofNanos(System.nanoTime() - startNanos).toMillis());
      }
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      delegate.onPartitionsLost(partitions);
      partitions.forEach(tracker::revoked);
      unreadable.revoked(partitions);
      problems.uncommitted().forget();
    }
  }
}
