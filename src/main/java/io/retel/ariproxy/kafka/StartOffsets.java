// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where consumption of assigned partitions starts (docs/contract.md#commands).
 *
 * <p>A partition starts at its committed offset, or at its first record if that offset was deleted
 * or the partition is new. Offsets committed for a deleted topic of the same name do not count. Of
 * commits that Kafka has lost, those count that this consumer knows. A group without any committed
 * offset for a topic, because it is new or its offsets have expired, skips commands older than a
 * limit instead: executing them would call real numbers again. Not thread-safe.
 */
final class StartOffsets {

  private static final Logger LOG = LoggerFactory.getLogger(StartOffsets.class);

  private final Supplier<Instant> oldest;
  private final RecentCommands recent;
  private final SkippedCommands skipped;

  /**
   * @param oldest returns the age limit of the commands that a group without committed offsets
   *     starts with
   */
  StartOffsets(Supplier<Instant> oldest, RecentCommands recent, SkippedCommands skipped) {
    this.oldest = oldest;
    this.recent = recent;
    this.skipped = skipped;
  }

  /**
   * Seeks to the start of partitions that have just been assigned.
   *
   * @param topicIds of their topics, as far as they are known
   * @param acknowledged offsets of these partitions whose commits Kafka has acknowledged before
   * @return the committed offsets; partitions without one are absent
   */
  Map<TopicPartition, OffsetAndMetadata> seek(
      Consumer<?, ?> consumer,
      Collection<TopicPartition> assigned,
      Map<String, Uuid> topicIds,
      Map<TopicPartition, OffsetAndMetadata> acknowledged) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        committed(consumer, Set.copyOf(assigned), topicIds);
    committed.putAll(lost(consumer, acknowledged, committed, topicIds));
    Map<TopicPartition, Long> first = consumer.beginningOffsets(assigned);
    Set<TopicPartition> uncommitted = new HashSet<>();
    for (TopicPartition partition : assigned) {
      OffsetAndMetadata offset = committed.get(partition);
      if (offset == null) {
        uncommitted.add(partition);
      } else if (offset.offset() < first.getOrDefault(partition, 0L)) {
        seekToFirst(consumer, partition, offset.offset(), first.getOrDefault(partition, 0L));
      } else {
        consumer.seek(partition, offset);
      }
    }
    uncommitted.stream()
        .collect(Collectors.groupingBy(TopicPartition::topic, Collectors.toSet()))
        .forEach(
            (topic, partitions) ->
                committed.putAll(start(consumer, topic, partitions, first, topicIds)));
    return committed;
  }

  /** Returns the acknowledged commits that Kafka has lost, if the log still reaches them. */
  private static Map<TopicPartition, OffsetAndMetadata> lost(
      Consumer<?, ?> consumer,
      Map<TopicPartition, OffsetAndMetadata> acknowledged,
      Map<TopicPartition, OffsetAndMetadata> committed,
      Map<String, Uuid> topicIds) {
    Map<TopicPartition, Long> end = consumer.endOffsets(acknowledged.keySet());
    Map<TopicPartition, OffsetAndMetadata> lost = new HashMap<>(acknowledged);
    lost.entrySet()
        .removeIf(
            commit -> {
              TopicPartition partition = commit.getKey();
              return commit.getValue().offset() > end.getOrDefault(partition, 0L)
                  || !isLost(
                      commit.getValue(), committed.get(partition), topicIds.get(partition.topic()));
            });
    if (!lost.isEmpty()) {
      LOG.warn(
          "Kafka lost acknowledged commits: continuing where it had acknowledged {}",
          lost.entrySet().stream()
              .map(commit -> commit.getKey() + "@" + commit.getValue().offset())
              .sorted()
              .toList());
    }
    return lost;
  }

  /**
   * Returns whether Kafka has lost a commit that it had acknowledged.
   *
   * @param stored what it returns instead, or null
   * @param topicId of the topic now, or null if it is unknown: a commit at a lower offset can be of
   *     a topic that was created again
   */
  private static boolean isLost(
      OffsetAndMetadata acknowledged, @Nullable OffsetAndMetadata stored, @Nullable Uuid topicId) {
    return topicId != null
        && CompletedOffsets.isOfTopic(acknowledged.metadata(), topicId)
        && (stored == null || stored.offset() < acknowledged.offset());
  }

  /**
   * Seeks to where a partition continues whose position is beyond its end: records were lost, or
   * the topic was recreated.
   */
  void restart(Consumer<?, ?> consumer, TopicPartition partition, long position) {
    long first = consumer.beginningOffsets(List.of(partition)).getOrDefault(partition, 0L);
    if (position < first) {
      seekToFirst(consumer, partition, position, first);
      return;
    }
    long start = Objects.requireNonNull(recent(consumer, Set.of(partition)).get(partition)).base();
    consumer.seek(partition, start);
    skipped.old().increment(start - first);
    LOG.warn(
        "{} ends before offset {}: it was recreated, or lost records. Continuing at offset {}, with"
            + " commands since {} (commands.initial-lookback)",
        partition,
        position,
        start,
        oldest.get());
  }

  /**
   * Seeks to the first record of a partition whose next commands Kafka has deleted.
   *
   * @param position the offset that was to be consumed next
   * @param first the offset of the first record
   */
  private void seekToFirst(
      Consumer<?, ?> consumer, TopicPartition partition, long position, long first) {
    consumer.seek(partition, first);
    if (first > position) {
      skipped.deleted().increment(first - position);
      LOG.warn(
          "Kafka deleted {} commands of {} before they were consumed (offsets {} to {}): they get no"
              + " RESPONSE. Increase the topic's retention",
          first - position,
          partition,
          position,
          first - 1);
    }
  }

  /** Seeks to the start of partitions without a committed offset; returns their commits, if any. */
  private Map<TopicPartition, OffsetAndMetadata> start(
      Consumer<?, ?> consumer,
      String topic,
      Set<TopicPartition> partitions,
      Map<TopicPartition, Long> first,
      Map<String, Uuid> topicIds) {
    Set<TopicPartition> all =
        consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition()))
            .collect(Collectors.toSet());
    Map<TopicPartition, CompletedOffsets> start = recent(consumer, all);
    // read last: another member of a new group may have committed its start for all partitions
    Map<TopicPartition, OffsetAndMetadata> committed = committed(consumer, all, topicIds);
    if (!committed.isEmpty()) {
      for (TopicPartition partition : partitions) {
        OffsetAndMetadata commit = committed.get(partition);
        // without a commit, the partition was added to a topic that the group already consumes
        consumer.seek(
            partition, commit == null ? first.getOrDefault(partition, 0L) : commit.offset());
      }
      committed.keySet().retainAll(partitions);
      return committed;
    }
    // for all partitions, so that no other member regards the group as new, nor this one after a
    // restart
    Map<TopicPartition, OffsetAndMetadata> commits = new HashMap<>();
    start.forEach(
        (partition, offsets) ->
            commits.put(
                partition,
                offsets.completed().isEmpty()
                    ? new OffsetAndMetadata(offsets.base())
                    : new OffsetAndMetadata(
                        offsets.base(), offsets.toMetadata(topicIds.get(topic)))));
    consumer.commitSync(Map.copyOf(commits));
    commits.keySet().retainAll(partitions);
    commits.forEach(consumer::seek);
    start.keySet().retainAll(partitions);
    long count =
        start.entrySet().stream()
            .mapToLong(
                entry ->
                    entry.getValue().base()
                        - first.getOrDefault(entry.getKey(), 0L)
                        + entry.getValue().completed().cardinality())
            .sum();
    if (count > 0) {
      skipped.old().increment(count);
      LOG.warn(
          "Group {} has no committed offsets for {}: skipped {} commands from before {}"
              + " (commands.initial-lookback)",
          consumer.groupMetadata().groupId(),
          topic,
          count,
          oldest.get());
    }
    return commits;
  }

  /**
   * The first command of each partition since the limit, or its end; older ones beyond it count as
   * completed.
   */
  private Map<TopicPartition, CompletedOffsets> recent(
      Consumer<?, ?> consumer, Set<TopicPartition> partitions) {
    // queried first: records written in the meantime are not skipped
    Map<TopicPartition, Long> end = consumer.endOffsets(partitions);
    Instant limit = oldest.get();
    Duration timeout = RecentCommands.timeout(partitions.size());
    Map<TopicPartition, Long> limits =
        partitions.stream()
            .collect(Collectors.toMap(partition -> partition, partition -> limit.toEpochMilli()));
    Map<TopicPartition, OffsetAndTimestamp> since = consumer.offsetsForTimes(limits);
    Map<TopicPartition, CompletedOffsets> start = new HashMap<>();
    for (TopicPartition partition : partitions) {
      long partitionEnd = end.getOrDefault(partition, 0L);
      long from =
          Optional.ofNullable(since.get(partition))
              .map(OffsetAndTimestamp::offset)
              .orElse(partitionEnd);
      start.put(partition, recent.find(partition, from, partitionEnd, limit, timeout));
    }
    return start;
  }

  private static Map<TopicPartition, OffsetAndMetadata> committed(
      Consumer<?, ?> consumer, Set<TopicPartition> partitions, Map<String, Uuid> topicIds) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        new HashMap<>(consumer.committed(partitions));
    committed.values().removeIf(Objects::isNull);
    committed
        .entrySet()
        .removeIf(
            commit -> {
              Uuid topicId = topicIds.get(commit.getKey().topic());
              return topicId != null
                  && CompletedOffsets.isOfOtherTopic(commit.getValue().metadata(), topicId);
            });
    return committed;
  }
}
