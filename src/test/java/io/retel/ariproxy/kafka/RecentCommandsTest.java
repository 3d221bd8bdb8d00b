// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

/** Commands whose timestamps are not in the order of their offsets. */
class RecentCommandsTest {

  private static final TopicPartition PARTITION = new TopicPartition("commands", 0);
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
  private static final Instant OLDEST = NOW.minusSeconds(60);
  private static final Duration TIMEOUT = Duration.ofSeconds(7);
  private static final Duration OLD = Duration.ofDays(1);
  private static final Duration RECENT = Duration.ofSeconds(10);

  private final AtomicLong nanoTime = new AtomicLong();

  @Test
  void allAreRecentFromTheFirstOneOn() {
    CompletedOffsets found = find(0, OLD, RECENT, RECENT, RECENT);
    assertThat(found.base()).isOne();
    assertThat(found.completed().isEmpty()).isTrue();
  }

  @Test
  void oldOnesBetweenRecentOnesCountAsCompleted() {
    CompletedOffsets found = find(1, OLD, OLD, RECENT, OLD, OLD, RECENT);
    assertThat(found.base()).isEqualTo(2);
    assertThat(found.startingAt(0)).containsExactly(3L, 4L);
  }

  @Test
  void limitsAreRecent() {
    assertThat(find(0, Duration.ofSeconds(60), Duration.ofSeconds(-60)))
        .isEqualTo(CompletedOffsets.empty(0));
    assertThat(find(0, Duration.ofMillis(60_001)).base()).isOne();
    assertThat(find(0, Duration.ofMillis(-60_001)).base()).isOne();
  }

  @Test
  void startsAtTheEndWithoutRecentCommands() {
    assertThat(find(0, OLD, OLD)).isEqualTo(CompletedOffsets.empty(2));
    assertThat(find(2, RECENT, RECENT)).isEqualTo(CompletedOffsets.empty(2));
  }

  /** They are written while the proxy starts. */
  @Test
  void ignoresCommandsAfterTheEnd() {
    RecentCommands recent = recent(reader(PARTITION, NOW, RECENT, OLD, OLD));
    assertThat(recent.find(PARTITION, 0, 1, OLDEST, TIMEOUT)).isEqualTo(CompletedOffsets.empty(0));
  }

  /** Otherwise the last old one would be executed. */
  @Test
  void skipsRecentCommandsFarBeforeAnOldOne() {
    Duration[] ages = new Duration[CompletedOffsets.MAX_WINDOW + 11];
    Arrays.fill(ages, RECENT);
    ages[ages.length - 1] = OLD;

    CompletedOffsets found = find(0, ages);

    assertThat(found.base()).isEqualTo(11);
    assertThat(found.contains(ages.length - 1)).isTrue();
    assertThat(found.completed().cardinality()).isOne();
  }

  @Test
  void commandsNotReadInTimeAreOldIfAnotherIs() {
    assertThat(findSlowly(RECENT)).isEqualTo(CompletedOffsets.empty(0));
    assertThat(findSlowly(OLD)).isEqualTo(CompletedOffsets.empty(10));
  }

  /** Reads one of ten commands in time. */
  private CompletedOffsets findSlowly(Duration age) {
    MockConsumer<Object, Object> reader = reader(PARTITION, NOW, age);
    reader.schedulePollTask(() -> nanoTime.addAndGet(TIMEOUT.toNanos()));
    return recent(reader).find(PARTITION, 0, 10, OLDEST, TIMEOUT);
  }

  @Test
  void failsIfNoneCanBeRead() {
    MockConsumer<Object, Object> reader = reader(PARTITION, NOW);
    reader.schedulePollTask(() -> nanoTime.addAndGet(TIMEOUT.toNanos()));
    assertThatThrownBy(() -> recent(reader).find(PARTITION, 0, 10, OLDEST, TIMEOUT))
        .isInstanceOf(TimeoutException.class);
  }

  @Test
  void failsIfReadingIsNotPermitted() {
    MockConsumer<Object, Object> reader = reader(PARTITION, NOW);
    reader.schedulePollTask(() -> reader.setPollException(new AuthorizationException("test")));
    assertThatThrownBy(() -> recent(reader).find(PARTITION, 0, 10, OLDEST, TIMEOUT))
        .isInstanceOf(AuthorizationException.class);
  }

  @Test
  void commandsFromAnUnreadableBatchOnAreNotSkipped() {
    MockConsumer<Object, Object> reader = reader(PARTITION, NOW, OLD, RECENT, OLD);
    reader.schedulePollTask(
        () -> reader.setPollException(new KafkaException("Encountered corrupt message")));
    CompletedOffsets found = recent(reader).find(PARTITION, 0, 10, OLDEST, TIMEOUT);
    assertThat(found.base()).isOne();
    assertThat(found.startingAt(0)).containsExactly(2L);
  }

  @Test
  void partitionsShareTheTimeout() {
    assertThat(RecentCommands.timeout(1)).isEqualTo(Duration.ofSeconds(60));
    assertThat(RecentCommands.timeout(6)).isEqualTo(Duration.ofSeconds(10));
    assertThat(RecentCommands.timeout(100)).isEqualTo(Duration.ofSeconds(5));
  }

  private CompletedOffsets find(long from, Duration... ages) {
    return recent(reader(PARTITION, NOW, ages)).find(PARTITION, from, ages.length, OLDEST, TIMEOUT);
  }

  private RecentCommands recent(Consumer<Object, Object> reader) {
    return new RecentCommands(() -> reader, () -> NOW, nanoTime::get);
  }

  /**
   * Returns a consumer of a partition that reads its first commands at once.
   *
   * @param ages of the commands, by their timestamps
   */
  static MockConsumer<Object, Object> reader(
      TopicPartition partition, Instant now, Duration... ages) {
    MockConsumer<Object, Object> reader = new MockConsumer<>("none");
    reader.updateBeginningOffsets(Map.of(partition, 0L));
    reader.schedulePollTask(
        () -> {
          for (int offset = 0; offset < ages.length; offset++) {
            reader.addRecord(
                new ConsumerRecord<>(
                    partition.topic(),
                    partition.partition(),
                    offset,
                    now.minus(ages[offset]).toEpochMilli(),
                    TimestampType.CREATE_TIME,
                    0,
                    0,
                    null,
                    null,
                    new RecordHeaders(),
                    Optional.empty()));
          }
        });
    return reader;
  }
}
