// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Offsets of deleted topics, lost commits, and commands with timestamps out of order. */
class StartOffsetsTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 0);
  private static final Uuid TOPIC_ID = Uuid.randomUuid();
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final Duration LIMIT = Duration.ofMinutes(1);

  @AutoClose
  private final MockConsumer<Object, Object> consumer =
      new MockConsumer<>("none") {
        @Override
        public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
            Map<TopicPartition, Long> timestamps) {
          return Map.of(PARTITION, new OffsetAndTimestamp(0, 0));
        }
      };

  private final SkippedCommands skipped = SkippedCommands.count(new SimpleMeterRegistry());

  /** How long ago each command was sent, by its timestamp. */
  private Duration[] ages = new Duration[10];

  private final StartOffsets startOffsets =
      new StartOffsets(
          () -> NOW.minus(LIMIT),
          new RecentCommands(
              () -> RecentCommandsTest.reader(PARTITION, NOW, ages), () -> NOW, System::nanoTime),
          skipped);

  @BeforeEach
  void assign() {
    consumer.updatePartitions(
        "commands", List.of(new PartitionInfo("commands", 0, null, null, null)));
    consumer.assign(Set.of(PARTITION));
    consumer.updateBeginningOffsets(Map.of(PARTITION, 0L));
    consumer.updateEndOffsets(Map.of(PARTITION, 10L));
    Arrays.fill(ages, Duration.ZERO);
  }

  /** Kafka applies a commit that it received late to the new topic. */
  @Test
  void commitOfDeletedTopicDoesNotCount() {
    commit(7, Uuid.randomUuid());

    seek();

    assertThat(consumer.position(PARTITION)).isZero();
    assertThat(consumer.committed(Set.of(PARTITION)).get(PARTITION).offset()).isZero();
  }

  @Test
  void continuesAtCommitOfTheTopic() {
    commit(7, TOPIC_ID);

    seek();

    assertThat(consumer.position(PARTITION)).isEqualTo(7);
  }

  /** Of an earlier version. */
  @Test
  void continuesAtCommitWithoutTopicId() {
    consumer.commitSync(Map.of(PARTITION, new OffsetAndMetadata(7)));

    seek();

    assertThat(consumer.position(PARTITION)).isEqualTo(7);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void continuesAtAcknowledgedCommitThatKafkaLost(boolean hasEarlier) {
    if (hasEarlier) {
      commit(3, TOPIC_ID);
    }

    assertThat(seek(acknowledged(7, TOPIC_ID)).get(PARTITION).offset()).isEqualTo(7);

    assertThat(consumer.position(PARTITION)).isEqualTo(7);
  }

  @Test
  void continuesAtCommitOfAnotherMemberBeyondTheAcknowledgedOne() {
    commit(8, TOPIC_ID);

    seek(acknowledged(7, TOPIC_ID));

    assertThat(consumer.position(PARTITION)).isEqualTo(8);
  }

  @Test
  void acknowledgedCommitOfDeletedTopicDoesNotCount() {
    commit(3, TOPIC_ID);

    seek(acknowledged(7, Uuid.randomUuid()));
    assertThat(consumer.position(PARTITION)).isEqualTo(3);

    startOffsets.seek(consumer, Set.of(PARTITION), Map.of(), acknowledged(7, TOPIC_ID));
    assertThat(consumer.position(PARTITION)).as("its id is unknown").isEqualTo(3);
  }

  /** The broker has lost the end of both logs. */
  @Test
  void acknowledgedCommitBeyondTheLogDoesNotCount() {
    commit(3, TOPIC_ID);

    seek(acknowledged(11, TOPIC_ID));

    assertThat(consumer.position(PARTITION)).isEqualTo(3);
  }

  @Test
  void newGroupSkipsOldCommandsBehindATimestampInTheFuture() {
    ages[0] = Duration.ofDays(-1);
    ages[1] = Duration.ofDays(1);
    ages[3] = Duration.ofDays(1);

    OffsetAndMetadata start = seek(Map.of()).get(PARTITION);

    assertThat(consumer.position(PARTITION)).isEqualTo(2);
    assertThat(CompletedOffsets.fromMetadata(2, start.metadata()).startingAt(0))
        .containsExactly(3L);
    assertThat(consumer.committed(Set.of(PARTITION))).containsEntry(PARTITION, start);
    assertThat(skipped.old().count()).isEqualTo(3);
  }

  @Test
  void truncatedLogContinuesBehindATimestampInTheFuture() {
    ages[0] = Duration.ofDays(-1);
    ages[1] = Duration.ofDays(1);

    startOffsets.restart(consumer, PARTITION, 20);

    assertThat(consumer.position(PARTITION)).isEqualTo(2);
    assertThat(skipped.old().count()).isEqualTo(2);
  }

  private static Map<TopicPartition, OffsetAndMetadata> acknowledged(long offset, Uuid topicId) {
    return Map.of(PARTITION, commitOf(offset, topicId));
  }

  private void commit(long offset, Uuid topicId) {
    consumer.commitSync(Map.of(PARTITION, commitOf(offset, topicId)));
  }

  private static OffsetAndMetadata commitOf(long offset, Uuid topicId) {
    return new OffsetAndMetadata(offset, CompletedOffsets.empty(offset).toMetadata(topicId));
  }

  private void seek() {
    seek(Map.of());
  }

  private Map<TopicPartition, OffsetAndMetadata> seek(
      Map<TopicPartition, OffsetAndMetadata> acknowledged) {
    return startOffsets.seek(
        consumer, Set.of(PARTITION), Map.of("commands", TOPIC_ID), acknowledged);
  }
}
