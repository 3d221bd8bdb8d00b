// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
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
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
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

  /** Delay between login attempts after a rejection. */
  private static final Duration AUTHENTICATION_RETRY_INTERVAL = Duration.ofMillis(500);

  private final OffsetTracker tracker = new OffsetTracker();
  private final UnreadableBatches unreadable;
  private final StartOffsets startOffsets;
  private final SkippedCommands skipped;
  private final int maxInFlight;
  private final BooleanSupplier stopping;
  private final RevocationDrain drain;
  private final AuthenticationState authentication = new AuthenticationState(this::metrics);

  /**
   * Whether the consumer has no group instance id, so that leaving the group reassigns its
   * partitions immediately.
   */
  private final boolean dynamicMember;

  private boolean paused;
  private boolean retired;

  /** Written on the polling thread. */
  private volatile double lag = Double.NaN;

  private volatile boolean fenced;
  private volatile boolean draining;
  private volatile boolean closed;

  private long lastCommit = System.nanoTime();

  /**
   * @param oldest age limit of the commands that a group without committed offsets starts with
   * @param maxInFlight limit of incomplete commands; fetching pauses when it is reached
   * @param drainTimeouts how long to wait for the started commands of a revoked partition
   * @param stopping whether the proxy is stopping
   */
  CommandConsumer(
      Properties properties,
      Instant oldest,
      SkippedCommands skipped,
      int maxInFlight,
      DrainTimeouts drainTimeouts,
      BooleanSupplier stopping) {
    super(withoutOffsetReset(properties));
    this.unreadable = new UnreadableBatches(withoutOffsetReset(properties), System::nanoTime);
    this.skipped = skipped;
    this.startOffsets = new StartOffsets(oldest, skipped);
    this.maxInFlight = maxInFlight;
    this.stopping = stopping;
    this.dynamicMember = properties.get(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG) == null;
    DrainTimeouts effectiveTimeouts = drainTimeouts.limitedBy(properties);
    // when a static member stops, its commands have already been given time to complete
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
    if (dynamicMember && !retired && stopping.getAsBoolean()) {
      // hands the partitions to other members while this proxy completes its started commands
      retired = true;
      unsubscribe();
    }
    if (retired) {
      LockSupport.parkNanos(timeout.toNanos());
      return ConsumerRecords.empty();
    }
    try {
      ConsumerRecords<Object, Object> polled = commitAndPoll(timeout);
      if (authentication.recovered()) {
        LOG.info("Kafka accepts the login again: consuming {}", subscription());
      }
      lag = authentication.isRejected() ? Double.NaN : totalLag();
      return polled;
    } catch (FencedInstanceIdException e) {
      // rejoining would fence the other proxy, which would rejoin in turn
      retired = true;
      fenced = true;
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
    } catch (Error e) {
      // ends Camel's consumer, which does not log it
      FatalErrors.exitIfOutOfMemory(e);
      LOG.error("Consumer of {} ended", subscription(), e);
      throw e;
    }
  }

  private ConsumerRecords<Object, Object> commitAndPoll(Duration timeout) {
    commitCompleted();
    pauseOrResume();
    boolean busy = tracker.incomplete() > 0 && timeout.compareTo(COMMIT_INTERVAL) > 0;
    try {
      ConsumerRecords<Object, Object> polled =
          unreadable.poll(this, super::poll, busy ? COMMIT_INTERVAL : timeout, tracker::position);
      return polled.isEmpty() ? polled : dropHandled(polled);
    } catch (OffsetOutOfRangeException e) {
      e.offsetOutOfRangePartitions().forEach((partition, offset) -> reset(partition, offset, e));
      return ConsumerRecords.empty();
    }
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
      tracker.assigned(partition, next, null);
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

  /** Returns whether another consumer has permanently replaced this one. Thread-safe. */
  boolean isFenced() {
    return fenced;
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
    Map<TopicPartition, OffsetAndMetadata> completed = tracker.offsetsToCommit();
    if (!completed.isEmpty()) {
      lastCommit = now;
      commitAsync(
          completed,
          (offsets, failure) -> {
            if (failure == null) {
              tracker.acknowledged(offsets);
            } else {
              LOG.debug("Commit of {} failed, retrying: {}", offsets, failure.toString());
              tracker.retryCommit(offsets.keySet());
            }
          });
    }
  }

  private void pauseOrResume() {
    boolean overLimit =
        tracker.incomplete() >= maxInFlight
            || tracker.window() >= CompletedOffsets.MAX_WINDOW - 1_000;
    if (overLimit && !paused) {
      paused = true;
      LOG.debug("Fetching paused: {} commands incomplete", tracker.incomplete());
      pause(assignment());
    } else if (paused
        && tracker.incomplete() <= maxInFlight / 2
        && tracker.window() <= CompletedOffsets.MAX_WINDOW / 2) {
      paused = false;
      Set<TopicPartition> readable = new HashSet<>(assignment());
      readable.removeAll(unreadable.partitions());
      resume(readable);
    } else if (paused) {
      // includes newly assigned partitions
      pause(assignment());
    }
    if (!paused) {
      unreadable.retry(this, this::onSkipped);
    }
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

  private ConsumerRecords<Object, Object> dropHandled(ConsumerRecords<Object, Object> polled) {
    Map<TopicPartition, List<ConsumerRecord<Object, Object>>> accepted = new HashMap<>();
    for (TopicPartition partition : polled.partitions()) {
      List<ConsumerRecord<Object, Object>> records = new ArrayList<>();
      for (ConsumerRecord<Object, Object> record : polled.records(partition)) {
        if (tracker.accept(partition, record.offset())) {
          records.add(record);
        }
      }
      if (!records.isEmpty()) {
        accepted.put(partition, records);
      }
    }
    return new ConsumerRecords<>(accepted, polled.nextOffsets());
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
          Map<TopicPartition, OffsetAndMetadata> committed =
              startOffsets.seek(CommandConsumer.this, partitions);
          for (TopicPartition partition : partitions) {
            tracker.assigned(partition, position(partition), committed.get(partition));
          }
        } catch (AuthenticationException e) {
          // poll() would retry without assigning them again; Camel reconnects instead
          throw new KafkaException("Login rejected while partitions were assigned", e);
        }
      }
      delegate.onPartitionsAssigned(partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      delegate.onPartitionsRevoked(partitions);
      tracker.releasePartitions(partitions);
      awaitDrain(partitions);
      commitCompletedSync(partitions);
      partitions.forEach(tracker::revoked);
      unreadable.revoked(partitions);
    }

    private void commitCompletedSync(Collection<TopicPartition> partitions) {
      Map<TopicPartition, OffsetAndMetadata> completed = tracker.offsetsToCommit();
      try {
        if (!completed.isEmpty()) {
          commitSync(completed);
          tracker.acknowledged(completed);
        }
      } catch (KafkaException e) {
        tracker.retryCommit(completed.keySet());
        LOG.warn(
            "Final commit of {} failed, completed commands can be executed again: {}",
            partitions,
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
    }
  }
}
