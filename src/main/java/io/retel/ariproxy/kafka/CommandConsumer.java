package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A consumer of commands that are answered out of order and committed in order.
 *
 * <p>Each poll commits what has been answered since the last one; a record that was answered before
 * is not handed out again; when too many wait for their answer, none is fetched; a partition that
 * is revoked is given away when all of its commands that are begun are answered, and the others are
 * left to its next reader. All on the thread that polls, as Kafka wants it; a {@link CommandHandle}
 * alone may be used by any.
 */
final class CommandConsumer extends KafkaConsumer<Object, Object> {

  private static final Logger LOG = LoggerFactory.getLogger(CommandConsumer.class);

  /**
   * How often is committed while commands are under way: what a crash repeats beside those is
   * answered that shortly.
   */
  private static final Duration COMMIT_INTERVAL = Duration.ofMillis(20);

  /** How long a login that was refused is left before it is tried again. */
  private static final Duration AUTHENTICATION_RETRY_INTERVAL = Duration.ofMillis(500);

  private final OffsetTracker tracker = new OffsetTracker();
  private final int maxInFlight;
  private final BooleanSupplier stopping;
  private final RevocationDrain drain;
  private final AuthenticationState authentication = new AuthenticationState(this::metrics);

  /**
   * A member without a name of its own: its partitions are somebody else's as soon as it is gone.
   */
  private final boolean dynamicMember;

  private boolean paused;
  private boolean retired;

  /** Written on the thread that polls. */
  private volatile double lag = Double.NaN;

  private volatile boolean fenced;
  private volatile boolean draining;
  private volatile boolean closed;

  private long lastCommit = System.nanoTime();

  /**
   * @param maxUnanswered how many commands may wait for their answer before no more are fetched
   * @param drainTime how long the begun commands of a revoked partition may take to be answered
   * @param stopping whether the proxy stops
   */
  CommandConsumer(
      Properties properties,
      int maxInFlight,
      DrainTimeouts drainTimeouts,
      BooleanSupplier stopping) {
    super(properties);
    this.maxInFlight = maxInFlight;
    this.stopping = stopping;
    this.dynamicMember = properties.get(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG) == null;
    DrainTimeouts effectiveTimeouts = drainTimeouts.limitedBy(properties);
    // when a static member stops, all has been done to answer what it had read
    this.drain =
        new RevocationDrain(
            tracker,
            dynamicMember
                ? effectiveTimeouts
                : new DrainTimeouts(effectiveTimeouts.running(), Duration.ZERO),
            stopping);
  }

  /** What becomes of the command at that offset. */
  CommandHandle handle(TopicPartition partition, long offset) {
    return tracker.handle(partition, offset);
  }

  @Override
  public ConsumerRecords<Object, Object> poll(Duration timeout) {
    if (dynamicMember && !retired && stopping.getAsBoolean()) {
      // the others of the group go on with the partitions while this proxy finishes what it began
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
        LOG.info("Kafka takes the login again, commands are read from {}", subscription());
      }
      lag = authentication.isRejected() ? Double.NaN : totalLag();
      return polled;
    } catch (FencedInstanceIdException e) {
      // to join again would throw the other one out, and so on for ever
      retired = true;
      fenced = true;
      lag = Double.NaN;
      tracker.releasePartitions(assignment());
      LOG.error(
          "No more commands are read from {}: another proxy does so as {}. Each proxy needs a"
              + " kafka.commands-topic and a kafka.group-id of its own; then start this one again",
          subscription(),
          groupMetadata().groupInstanceId().orElse(""));
      return ConsumerRecords.empty();
    } catch (AuthenticationException e) {
      // Camel would give up for ever
      lag = Double.NaN;
      if (authentication.rejected()) {
        LOG.warn(
            "No commands are read from {} until Kafka takes the login again: {}",
            subscription(),
            KafkaErrors.describe(e));
      }
      LockSupport.parkNanos(AUTHENTICATION_RETRY_INTERVAL.toNanos());
      return ConsumerRecords.empty();
    }
  }

  private ConsumerRecords<Object, Object> commitAndPoll(Duration timeout) {
    commitCompleted();
    pauseOrResume();
    boolean busy = tracker.incomplete() > 0 && timeout.compareTo(COMMIT_INTERVAL) > 0;
    ConsumerRecords<Object, Object> polled = super.poll(busy ? COMMIT_INTERVAL : timeout);
    return polled.isEmpty() ? polled : dropHandled(polled);
  }

  private long totalLag() {
    return assignment().stream().mapToLong(partition -> currentLag(partition).orElse(0)).sum();
  }

  /**
   * How many records of its partitions have not been handed out, or NaN while it does not read
   * them; for any thread.
   */
  double lag() {
    return lag;
  }

  /** Whether another consumer has taken its place for good; for any thread. */
  boolean isFenced() {
    return fenced;
  }

  /** For any thread. */
  boolean isClosed() {
    return closed;
  }

  /**
   * Camel does so when its route stops slowly. What is drained would be left uncommitted by that,
   * and the poll that is under way ends by itself.
   */
  @Override
  public void wakeup() {
    if (!draining) {
      super.wakeup();
    }
  }

  /** As Camel's component closes it. */
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
              LOG.debug("Committing {} failed, it is tried again: {}", offsets, failure.toString());
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
      LOG.debug("{} commands wait for their answer, no more are fetched", tracker.incomplete());
      pause(assignment());
    } else if (paused
        && tracker.incomplete() <= maxInFlight / 2
        && tracker.window() <= CompletedOffsets.MAX_WINDOW / 2) {
      paused = false;
      resume(assignment());
    } else if (paused) {
      // partitions that have been assigned meanwhile
      pause(assignment());
    }
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

  /** Keeps the progress true when partitions come and go, then tells Camel's listener. */
  private final class RebalanceListener implements ConsumerRebalanceListener {

    private final ConsumerRebalanceListener delegate;

    RebalanceListener(ConsumerRebalanceListener delegate) {
      this.delegate = delegate;
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
      if (!partitions.isEmpty()) {
        Map<TopicPartition, OffsetAndMetadata> committed = committed(Set.copyOf(partitions));
        for (TopicPartition partition : partitions) {
          tracker.assigned(partition, position(partition), committed.get(partition));
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
    }

    private void commitCompletedSync(Collection<TopicPartition> partitions) {
      try {
        Map<TopicPartition, OffsetAndMetadata> completed = tracker.offsetsToCommit();
        if (!completed.isEmpty()) {
          commitSync(completed);
          tracker.acknowledged(completed);
        }
      } catch (KafkaException e) {
        LOG.warn(
            "Commands of {} that are answered were not committed and may be carried out again: {}",
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
            "{} commands of {} are not answered after {} ms; whoever reads them next carries them out",
            remaining,
            partitions,
            Duration.ofNanos(System.nanoTime() - startNanos).toMillis());
      }
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      delegate.onPartitionsLost(partitions);
      partitions.forEach(tracker::revoked);
    }
  }
}
