// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The watermark never passes an incomplete offset, and no completed one is lost.
 *
 * <p>The repetition number is the seed of a random test.
 */
class PartitionOffsetsTest {

  @Test
  void watermarkEqualsPositionWhenAllIsCompleted() {
    PartitionOffsets offsets = startingAt(5);
    assertThat(offsets.watermark()).isEqualTo(5);
    offsets.accept(5, 0);
    assertThat(offsets.watermark()).isEqualTo(5);
    offsets.completed(5);
    assertThat(offsets.watermark()).isEqualTo(6);
  }

  @Test
  void acceptsEachOffsetOnce() {
    PartitionOffsets offsets = startingAt(5);
    assertThat(offsets.accept(5, 0)).isTrue();
    assertThat(offsets.accept(5, 0)).isFalse();
    assertThat(offsets.accept(4, 0)).isFalse();
    assertThat(offsets.incomplete()).isEqualTo(1);
  }

  @Test
  void completionOfUnacceptedOffsetChangesNothing() {
    PartitionOffsets offsets = startingAt(5);
    offsets.completed(7);
    assertThat(offsets.accept(7, 0)).isTrue();
    assertThat(offsets.watermark()).isEqualTo(7);
  }

  @Test
  void sumsBytesAcrossReassignmentAndRepeatedCompletion() {
    PartitionOffsets offsets = startingAt(5);
    for (long offset = 5; offset < 9; offset++) {
      offsets.accept(offset, 10);
    }
    offsets.tryStart(5);
    offsets.tryStart(6);
    offsets.completed(6);
    offsets.completed(6);
    assertThat(offsets.incompleteBytes()).isEqualTo(30);

    offsets.reassigned(5, CompletedOffsets.empty(5));
    assertThat(offsets.incompleteBytes()).as("started before").isEqualTo(10);
    // its first handle starts before it is read again
    offsets.tryStart(7);
    offsets.accept(5, 10);
    offsets.accept(6, 10);
    offsets.accept(7, 10);
    offsets.accept(8, 10);
    assertThat(offsets.incompleteBytes()).isEqualTo(20);
    offsets.completed(5);
    offsets.completed(7);
    offsets.completed(8);
    assertThat(offsets.incompleteBytes()).isZero();
  }

  @RepeatedTest(50)
  @DisplayName("watermark never passes an incomplete offset, regardless of completion order")
  void watermarkNeverPassesIncompleteOffset(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    PartitionOffsets offsets = startingAt(0);
    TreeSet<Long> open = new TreeSet<>();
    long next = 0;
    for (int step = 0; step < 500; step++) {
      if (open.isEmpty() || random.nextInt(5) < 3) {
        // occasional gaps, as caused by compaction and transactions
        next += random.nextInt(10) == 0 ? 1 + random.nextInt(20) : 0;
        assertThat(offsets.accept(next, 0)).isTrue();
        open.add(next++);
      } else {
        long completed = new ArrayList<>(open).get(random.nextInt(open.size()));
        open.remove(completed);
        offsets.completed(completed);
      }
      assertThat(offsets.incomplete()).isEqualTo(open.size());
      assertThat(offsets.watermark()).isEqualTo(open.isEmpty() ? next : open.first());
    }
  }

  @RepeatedTest(50)
  @DisplayName("restart repeats exactly the offsets incomplete at the last commit")
  void restartRepeatsExactlyIncompleteOffsets(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<Long> topic = new ArrayList<>();
    for (long offset = 100; topic.size() < 300; offset += 1 + random.nextInt(2)) {
      topic.add(offset);
    }
    Set<Long> completed = new TreeSet<>();
    long committed = 100;
    String metadata = null;
    for (int run = 0; run < 6; run++) {
      PartitionOffsets offsets =
          new PartitionOffsets(committed, CompletedOffsets.fromMetadata(committed, metadata));
      int readTo = random.nextInt(topic.size() + 1);
      List<Long> accepted = new ArrayList<>();
      for (long offset : topic.subList(0, readTo)) {
        if (offset >= committed) {
          assertThat(offsets.accept(offset, 0))
              .as("offset %d in run %d", offset, run)
              .isEqualTo(!completed.contains(offset));
          if (!completed.contains(offset)) {
            accepted.add(offset);
          }
        } else {
          assertThat(completed).contains(offset);
        }
      }
      Collections.shuffle(accepted, random);
      for (long offset : accepted.subList(0, random.nextInt(accepted.size() + 1))) {
        offsets.completed(offset);
        completed.add(offset);
      }
      committed = offsets.watermark();
      metadata = offsets.completedAboveWatermark().toMetadata(Uuid.randomUuid());
    }
  }

  @Test
  void completedOffsetsSurviveRestartUntilReread() {
    PartitionOffsets before = startingAt(10);
    for (long offset = 10; offset < 20; offset++) {
      before.accept(offset, 0);
    }
    before.completed(15);
    before.completed(19);
    PartitionOffsets restarted = new PartitionOffsets(10, roundTrip(before));
    restarted.accept(10, 0);
    restarted.completed(10);

    CompletedOffsets completed = roundTrip(restarted);

    assertThat(completed.base()).isEqualTo(11);
    assertThat(completed.contains(15)).isTrue();
    assertThat(completed.contains(19)).isTrue();
    assertThat(completed.contains(14)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {30_000, 1_000_000, 5_000_000_000L})
  void wideOffsetGapFitsIntoMetadata(long gap) {
    PartitionOffsets offsets = startingAt(0);
    offsets.accept(0, 0);
    offsets.accept(1, 0);
    offsets.accept(gap, 0);
    offsets.accept(gap + 1, 0);
    offsets.completed(1);
    offsets.completed(gap);

    CompletedOffsets completed = offsets.completedAboveWatermark();

    assertThat(completed.base()).isZero();
    assertThat(completed.contains(0)).isFalse();
    assertThat(completed.contains(1)).isTrue();
    assertThat(completed.contains(gap + 1)).isFalse();
    assertThat(bytes(completed)).isLessThanOrEqualTo(4_096);
  }

  /** Also if a loop over each offset of the gap would not end. */
  @Test
  void wideOffsetGapSurvivesReassignment() {
    PartitionOffsets offsets = startingAt(0);
    offsets.accept(0, 0);
    offsets.accept(1, 0);
    offsets.tryStart(0);
    offsets.completed(1);
    offsets.skipTo(Long.MAX_VALUE - 1);

    offsets.reassigned(0, CompletedOffsets.empty(0));

    assertThat(offsets.accept(0, 0)).as("started here").isFalse();
    assertThat(offsets.accept(1, 0)).as("completed here").isFalse();
  }

  @Test
  void fullWindowFitsIntoMetadata() {
    PartitionOffsets offsets = startingAt(7);
    for (long offset = 7; offset < 7 + CompletedOffsets.MAX_WINDOW; offset++) {
      offsets.accept(offset, 0);
    }
    for (long offset = 8; offset < 7 + CompletedOffsets.MAX_WINDOW; offset++) {
      offsets.completed(offset);
    }
    CompletedOffsets completed = roundTrip(offsets);
    assertThat(completed.contains(7)).isFalse();
    assertThat(completed.contains(7 + CompletedOffsets.MAX_WINDOW - 1)).isTrue();
    assertThat(bytes(offsets.completedAboveWatermark())).isLessThanOrEqualTo(4_096);
  }

  private static PartitionOffsets startingAt(long position) {
    return new PartitionOffsets(position, CompletedOffsets.empty(position));
  }

  private static CompletedOffsets roundTrip(PartitionOffsets offsets) {
    return CompletedOffsets.fromMetadata(
        offsets.watermark(), offsets.completedAboveWatermark().toMetadata(Uuid.randomUuid()));
  }

  private static int bytes(CompletedOffsets completed) {
    return completed.toMetadata(Uuid.randomUuid()).getBytes(StandardCharsets.UTF_8).length;
  }

  @Test
  void skipDoesNotCompleteCommandsInFlight() {
    PartitionOffsets partition = new PartitionOffsets(5, CompletedOffsets.empty(5));
    partition.accept(5, 0);
    partition.tryStart(5);
    partition.skipTo(9);
    assertThat(partition.watermark()).isEqualTo(5);
    assertThat(partition.accept(8, 0)).as("a skipped command").isFalse();
    partition.completed(5);
    assertThat(partition.watermark()).isEqualTo(9);
    assertThat(partition.accept(9, 0)).isTrue();
  }
}
