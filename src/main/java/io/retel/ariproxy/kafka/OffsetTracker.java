// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.util.ObjectHelper;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * Progress of all partitions assigned to one consumer.
 *
 * <p>The consumer's thread accepts offsets, any thread completes them. Thread-safe.
 */
final class OffsetTracker {

  private final Map<TopicPartition, PartitionOffsets> partitions = new HashMap<>();
  private final Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();

  /** Revoked partitions that can be assigned again while their commands still run here. */
  private final Map<TopicPartition, PartitionOffsets> revoked = new HashMap<>();

  /**
   * Truncations of the log of a partition, oldest first, while commands before them are incomplete.
   */
  private final Map<TopicPartition, List<Truncation>> truncations = new HashMap<>();

  /**
   * Leader epochs of the records read last. A commit includes it, so that a later consumer detects
   * that the log was truncated.
   */
  private final Map<TopicPartition, Integer> leaderEpochs = new HashMap<>();

  /** Offsets that Kafka has acknowledged, without leader epochs. */
  private final Map<TopicPartition, OffsetAndMetadata> acknowledged = new HashMap<>();

  /** Partitions that were assigned in the latest rebalance, also if they were revoked since. */
  private final Set<TopicPartition> owned = new HashSet<>();

  /** Ids of the topics whose progress this is. */
  private final Map<String, Uuid> topicIds = new HashMap<>();

  /**
   * A truncation of a log.
   *
   * @param offset the first record that was lost
   * @param before the progress until then
   */
  private record Truncation(long offset, PartitionOffsets before) {

    boolean hasIncomplete() {
      return before.isIncompleteBelow(offset);
    }

    /** Returns the offsets to commit while commands are incomplete. */
    OffsetAndMetadata offsets(@Nullable Uuid topicId) {
      CompletedOffsets completed = CompletedOffsets.empty(before.watermark());
      before
          .completedAboveWatermark()
          .startingAt(completed.base())
          .filter(completedOffset -> completedOffset < offset)
          .forEach(completed::add);
      return new OffsetAndMetadata(completed.base(), completed.toMetadata(topicId));
    }
  }

  /**
   * Returns the assigned partitions of topics that were deleted and created again since.
   *
   * @param ids of topics, as far as they are known
   */
  synchronized Set<TopicPartition> recreated(Map<String, Uuid> ids) {
    return partitions.keySet().stream()
        .filter(partition -> isRecreated(partition, ids))
        .collect(Collectors.toSet());
  }

  private boolean isRecreated(TopicPartition partition, Map<String, Uuid> ids) {
    Uuid previous = topicIds.get(partition.topic());
    return previous != null && !previous.equals(ids.getOrDefault(partition.topic(), previous));
  }

  /**
   * Records the end of a rebalance: another consumer can have committed offsets of all partitions
   * that are not assigned now.
   */
  synchronized void rebalanced() {
    owned.retainAll(partitions.keySet());
  }

  /** Returns the ids of those topics that are known, as a new map. */
  synchronized Map<String, Uuid> topicIds(Set<String> topics) {
    Map<String, Uuid> ids = new HashMap<>(topicIds);
    ids.keySet().retainAll(topics);
    return ids;
  }

  /**
   * Sets the ids of topics, before their partitions are assigned. Forgets all progress in topics
   * that were deleted and created again: their offsets are those of other commands.
   */
  synchronized void setTopicIds(Map<String, Uuid> ids) {
    for (Map<TopicPartition, ?> progress :
        List.of(partitions, committed, revoked, truncations, leaderEpochs, acknowledged)) {
      progress.keySet().removeIf(partition -> isRecreated(partition, ids));
    }
    topicIds.putAll(ids);
    notifyAll();
  }

  /** Adds an assigned partition with its last commit, or null. */
  synchronized void assigned(
      TopicPartition partition, long position, @Nullable OffsetAndMetadata lastCommit) {
    CompletedOffsets completed = CompletedOffsets.empty(position);
    if (lastCommit != null && lastCommit.offset() <= position) {
      CompletedOffsets.fromMetadata(lastCommit.offset(), lastCommit.metadata())
          .startingAt(position)
          .forEach(completed::add);
    }
    OffsetAndMetadata previousCommit = acknowledged.remove(partition);
    if (lastCommit != null) {
      acknowledged(Map.of(partition, lastCommit));
    }
    PartitionOffsets previous = revoked.remove(partition);
    // a recreated topic starts below the committed offset
    if (previous != null && (previousCommit == null || previousCommit.offset() <= position)) {
      previous.reassigned(position, completed);
      partitions.put(partition, previous);
    } else {
      partitions.put(partition, new PartitionOffsets(position, completed));
    }
    committed.remove(partition);
    owned.add(partition);
    // a commit at another position is of records that no longer exist, such as of a deleted topic
    recordLeaderEpoch(
        partition,
        Optional.ofNullable(lastCommit)
            .filter(commit -> commit.offset() == position)
            .flatMap(OffsetAndMetadata::leaderEpoch));
  }

  /**
   * Continues a partition at an earlier offset: its log has lost the records since then. Nothing is
   * committed beyond the commands before it until they are completed.
   */
  synchronized void truncated(TopicPartition partition, long offset) {
    PartitionOffsets before = partitions.get(partition);
    assigned(partition, offset, null);
    if (before != null) {
      // this truncation can have lost records from before an earlier one
      Stream<Truncation> earlier =
          truncations(partition)
              .map(previous -> new Truncation(Math.min(previous.offset, offset), previous.before));
      truncations.put(
          partition, Stream.concat(earlier, Stream.of(new Truncation(offset, before))).toList());
    }
  }

  /** Returns the truncations of a partition with incomplete commands before them, oldest first. */
  private Stream<Truncation> truncations(TopicPartition partition) {
    List<Truncation> pending =
        truncations.computeIfPresent(
            partition,
            (key, all) -> {
              List<Truncation> incomplete = all.stream().filter(Truncation::hasIncomplete).toList();
              return incomplete.isEmpty() ? null : incomplete;
            });
    return pending == null ? Stream.empty() : pending.stream();
  }

  /**
   * Releases partitions: no further commands are started, and the next owner executes the pending
   * ones.
   */
  synchronized void releasePartitions(Iterable<TopicPartition> revokedPartitions) {
    revokedPartitions.forEach(
        partition -> progress(partition).forEach(PartitionOffsets::releasePartition));
  }

  /** Returns the progress of a partition, and that before each truncation. */
  private Stream<PartitionOffsets> progress(TopicPartition partition) {
    return Stream.concat(
        Stream.ofNullable(partitions.get(partition)),
        truncations(partition).map(Truncation::before));
  }

  /** Removes a partition: commands completed later are not committed here. */
  synchronized void revoked(TopicPartition partition) {
    releasePartitions(List.of(partition));
    PartitionOffsets progress = partitions.remove(partition);
    if (progress != null) {
      revoked.put(partition, progress);
    }
    truncations.remove(partition);
    committed.remove(partition);
    notifyAll();
  }

  /** Continues a partition at a later offset, which commits those in between. */
  synchronized void skipTo(TopicPartition partition, long offset) {
    PartitionOffsets progress = partitions.get(partition);
    if (progress != null && offset > progress.position()) {
      progress.skipTo(offset);
      // the records before this offset can be of a later epoch
      leaderEpochs.remove(partition);
    }
  }

  /** Returns the next offset to be read of a partition, if it is assigned. */
  synchronized OptionalLong position(TopicPartition partition) {
    PartitionOffsets progress = partitions.get(partition);
    return progress == null ? OptionalLong.empty() : OptionalLong.of(progress.position());
  }

  /** Records the leader epoch of the last record read, if Kafka knows it. */
  synchronized void recordLeaderEpoch(TopicPartition partition, Optional<Integer> leaderEpoch) {
    leaderEpochs.compute(partition, (key, previous) -> leaderEpoch.orElse(null));
  }

  /** Accepts a record's offset; see {@link PartitionOffsets#accept}. */
  synchronized boolean accept(TopicPartition partition, long offset, int bytes) {
    PartitionOffsets progress = partitions.get(partition);
    return progress != null && progress.accept(offset, bytes);
  }

  /** Returns the handle of an accepted command. */
  synchronized CommandHandle handle(TopicPartition partition, long offset) {
    return new TrackedCommand(Objects.requireNonNull(partitions.get(partition)), offset);
  }

  /** An accepted command. */
  private final class TrackedCommand implements CommandHandle {

    private final PartitionOffsets partition;
    private final long offset;
    private volatile boolean started;
    private volatile boolean released;

    TrackedCommand(PartitionOffsets partition, long offset) {
      this.partition = partition;
      this.offset = offset;
    }

    @Override
    public boolean tryStart() {
      synchronized (OffsetTracker.this) {
        started = partition.tryStart(offset);
        released = !started;
        return started;
      }
    }

    @Override
    public void commit() {
      synchronized (OffsetTracker.this) {
        partition.completed(offset);
        OffsetTracker.this.notifyAll();
      }
    }

    @Override
    public void release() {
      synchronized (OffsetTracker.this) {
        released = true;
        partition.release(offset);
        OffsetTracker.this.notifyAll();
      }
    }

    @Override
    public boolean started() {
      return started;
    }

    @Override
    public boolean released() {
      return released;
    }
  }

  /** Returns the offsets that changed since the last call. */
  synchronized Map<TopicPartition, OffsetAndMetadata> offsetsToCommit() {
    Map<TopicPartition, OffsetAndMetadata> changed = new HashMap<>();
    partitions.forEach(
        (partition, progress) -> {
          OffsetAndMetadata current =
              offsets(partition, progress, Optional.ofNullable(leaderEpochs.get(partition)));
          if (!current.equals(committed.put(partition, current))) {
            changed.put(partition, current);
          }
        });
    return changed;
  }

  private OffsetAndMetadata offsets(
      TopicPartition partition, PartitionOffsets progress, Optional<Integer> leaderEpoch) {
    Uuid topicId = topicIds.get(partition.topic());
    return truncations(partition)
        .findFirst()
        .map(truncation -> truncation.offsets(topicId))
        .orElseGet(
            () ->
                new OffsetAndMetadata(
                    progress.watermark(),
                    leaderEpoch,
                    progress.completedAboveWatermark().toMetadata(topicId)));
  }

  /**
   * Returns the offsets that Kafka has not acknowledged, without leader epochs. Kafka repeats a
   * synchronous commit while the topic is deleted: its successor would get the epoch of other
   * records, and could not be consumed.
   */
  synchronized Map<TopicPartition, OffsetAndMetadata> finalOffsetsToCommit() {
    Map<TopicPartition, OffsetAndMetadata> unacknowledged = new HashMap<>();
    partitions.forEach(
        (partition, progress) -> {
          OffsetAndMetadata current = offsets(partition, progress, Optional.empty());
          if (!current.equals(acknowledged.get(partition))) {
            unacknowledged.put(partition, current);
          }
        });
    return unacknowledged;
  }

  /** Records committed offsets. */
  synchronized void acknowledged(Map<TopicPartition, OffsetAndMetadata> offsets) {
    offsets.forEach(
        (partition, offset) ->
            acknowledged.put(partition, new OffsetAndMetadata(offset.offset(), offset.metadata())));
  }

  /**
   * Returns the offsets that Kafka has acknowledged for partitions, with the leader epochs of the
   * records read last, unless another consumer can have had the partition since.
   */
  synchronized Map<TopicPartition, OffsetAndMetadata> acknowledgedOffsets(
      Set<TopicPartition> selected) {
    Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(acknowledged);
    offsets.keySet().retainAll(selected);
    offsets.keySet().retainAll(owned);
    offsets.replaceAll(
        (partition, commit) ->
            new OffsetAndMetadata(
                commit.offset(),
                Optional.ofNullable(leaderEpochs.get(partition)),
                commit.metadata()));
    return offsets;
  }

  /** Includes these partitions in the next {@link #offsetsToCommit}. */
  synchronized void retryCommit(Iterable<TopicPartition> selected) {
    selected.forEach(committed::remove);
  }

  /**
   * Includes partitions in the next {@link #offsetsToCommit} after their commit failed. Without
   * their leader epochs if the topic is deleted: the next commit can be of its successor.
   */
  synchronized void commitFailed(Iterable<TopicPartition> failed, Exception failure) {
    retryCommit(failed);
    if (ObjectHelper.getException(UnknownTopicOrPartitionException.class, failure) != null
        || ObjectHelper.getException(UnknownTopicIdException.class, failure) != null) {
      failed.forEach(leaderEpochs::remove);
    }
  }

  /** Number of commands accepted and not completed. */
  synchronized int incomplete() {
    return partitions.values().stream().mapToInt(PartitionOffsets::incomplete).sum();
  }

  /** Size of the commands accepted and not completed, in bytes. */
  synchronized long incompleteBytes() {
    return partitions.values().stream().mapToLong(PartitionOffsets::incompleteBytes).sum();
  }

  /**
   * Largest distance of any partition's position from the offset that Kafka has acknowledged: a
   * restart can execute the commands in between again.
   */
  synchronized long unacknowledged() {
    return partitions.entrySet().stream()
        .mapToLong(
            partition -> {
              OffsetAndMetadata last = acknowledged.get(partition.getKey());
              PartitionOffsets progress = partition.getValue();
              return progress.position() - (last == null ? progress.start() : last.offset());
            })
        .max()
        .orElse(0);
  }

  /** Number of commands of these partitions started and not completed. */
  synchronized int started(Iterable<TopicPartition> selected) {
    int count = 0;
    for (TopicPartition partition : selected) {
      count += progress(partition).mapToInt(PartitionOffsets::started).sum();
    }
    return count;
  }

  /**
   * Waits until the started commands of these partitions are completed.
   *
   * @param timeoutMs maximum time to wait, in milliseconds
   * @return the number of commands still incomplete
   */
  synchronized int awaitCompletion(Iterable<TopicPartition> revokedPartitions, long timeoutMs)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000;
    while (true) {
      int remaining = started(revokedPartitions);
      long waitMs = (deadline - System.nanoTime()) / 1_000_000;
      if (remaining == 0 || waitMs <= 0) {
        return remaining;
      }
      wait(waitMs);
    }
  }
}
