// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Instant;
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

/** Offsets committed for a topic that was deleted and created again. */
class StartOffsetsTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 0);
  private static final Uuid TOPIC_ID = Uuid.randomUuid();

  @AutoClose
  private final MockConsumer<Object, Object> consumer =
      new MockConsumer<>("none") {
        @Override
        public synchronized Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
            Map<TopicPartition, Long> timestamps) {
          return Map.of(PARTITION, new OffsetAndTimestamp(0, 0));
        }
      };

  private final StartOffsets startOffsets =
      new StartOffsets(() -> Instant.EPOCH, SkippedCommands.count(new SimpleMeterRegistry()));

  @BeforeEach
  void assign() {
    consumer.updatePartitions(
        "commands", List.of(new PartitionInfo("commands", 0, null, null, null)));
    consumer.assign(Set.of(PARTITION));
    consumer.updateBeginningOffsets(Map.of(PARTITION, 0L));
    consumer.updateEndOffsets(Map.of(PARTITION, 10L));
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

  private void commit(long offset, Uuid topicId) {
    String metadata = CompletedOffsets.empty(offset).toMetadata(topicId);
    consumer.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset, metadata)));
  }

  private void seek() {
    startOffsets.seek(consumer, Set.of(PARTITION), Map.of("commands", TOPIC_ID));
  }
}
