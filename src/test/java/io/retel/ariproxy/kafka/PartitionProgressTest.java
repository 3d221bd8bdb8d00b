package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is committed of a partition never passes what is unanswered, and loses nothing; a random
 * test's seed is the number of its repetition.
 */
class PartitionProgressTest {

  @Test
  void theWatermarkIsThePositionWhenAllIsAnswered() {
    PartitionProgress progress = fresh(5);
    assertThat(progress.watermark()).isEqualTo(5);
    progress.take(5);
    assertThat(progress.watermark()).isEqualTo(5);
    progress.answered(5);
    assertThat(progress.watermark()).isEqualTo(6);
  }

  @Test
  void anOffsetIsTakenOnce() {
    PartitionProgress progress = fresh(5);
    assertThat(progress.take(5)).isTrue();
    assertThat(progress.take(5)).isFalse();
    assertThat(progress.take(4)).isFalse();
    assertThat(progress.unanswered()).isEqualTo(1);
  }

  @Test
  void whatIsAnsweredWithoutHavingBeenTakenChangesNothing() {
    PartitionProgress progress = fresh(5);
    progress.answered(7);
    assertThat(progress.take(7)).isTrue();
    assertThat(progress.watermark()).isEqualTo(7);
  }

  @RepeatedTest(50)
  @DisplayName("the watermark never passes an unanswered offset, in whatever order answers come")
  void theWatermarkNeverPassesAnUnansweredOffset(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    PartitionProgress progress = fresh(0);
    TreeSet<Long> open = new TreeSet<>();
    long next = 0;
    for (int step = 0; step < 500; step++) {
      if (open.isEmpty() || random.nextInt(5) < 3) {
        // a gap now and then, as compaction and transactions leave them
        next += random.nextInt(10) == 0 ? 1 + random.nextInt(20) : 0;
        assertThat(progress.take(next)).isTrue();
        open.add(next++);
      } else {
        long answered = new ArrayList<>(open).get(random.nextInt(open.size()));
        open.remove(answered);
        progress.answered(answered);
      }
      assertThat(progress.unanswered()).isEqualTo(open.size());
      assertThat(progress.watermark()).isEqualTo(open.isEmpty() ? next : open.first());
      assertThat(progress.window()).isEqualTo(next - progress.watermark());
    }
  }

  @RepeatedTest(50)
  @DisplayName("after restarts exactly what was unanswered at the last commit is repeated")
  void restartsRepeatExactlyTheUnanswered(RepetitionInfo repetition) {
    Random random = new Random(repetition.getCurrentRepetition());
    List<Long> topic = new ArrayList<>();
    for (long offset = 100; topic.size() < 300; offset += 1 + random.nextInt(2)) {
      topic.add(offset);
    }
    Set<Long> answered = new TreeSet<>();
    long committed = 100;
    String metadata = null;
    for (int life = 0; life < 6; life++) {
      PartitionProgress progress =
          new PartitionProgress(committed, AnsweredOffsets.fromMetadata(committed, metadata));
      int readTo = random.nextInt(topic.size() + 1);
      List<Long> taken = new ArrayList<>();
      for (long offset : topic.subList(0, readTo)) {
        if (offset >= committed) {
          assertThat(progress.take(offset))
              .as("offset %d in life %d", offset, life)
              .isEqualTo(!answered.contains(offset));
          if (!answered.contains(offset)) {
            taken.add(offset);
          }
        } else {
          assertThat(answered).contains(offset);
        }
      }
      Collections.shuffle(taken, random);
      for (long offset : taken.subList(0, random.nextInt(taken.size() + 1))) {
        progress.answered(offset);
        answered.add(offset);
      }
      committed = progress.watermark();
      metadata = progress.answeredAboveWatermark().toMetadata();
    }
  }

  @Test
  void whatWasAnsweredBeforeIsKeptUntilItIsReadAgain() {
    PartitionProgress before = fresh(10);
    for (long offset = 10; offset < 20; offset++) {
      before.take(offset);
    }
    before.answered(15);
    before.answered(19);
    PartitionProgress restarted = new PartitionProgress(10, again(before));
    restarted.take(10);
    restarted.answered(10);

    AnsweredOffsets kept = again(restarted);

    assertThat(kept.base()).isEqualTo(11);
    assertThat(kept.contains(15)).isTrue();
    assertThat(kept.contains(19)).isTrue();
    assertThat(kept.contains(14)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(longs = {30_000, 1_000_000, 5_000_000_000L})
  void aGapWiderThanTheWindowStillFitsIntoTheMetadata(long gap) {
    PartitionProgress progress = fresh(0);
    progress.take(0);
    progress.take(1);
    progress.take(gap);
    progress.take(gap + 1);
    progress.answered(1);
    progress.answered(gap);

    AnsweredOffsets answered = progress.answeredAboveWatermark();

    assertThat(answered.base()).isZero();
    assertThat(answered.contains(0)).isFalse();
    assertThat(answered.contains(1)).isTrue();
    assertThat(answered.contains(gap + 1)).isFalse();
    assertThat(bytes(answered)).isLessThanOrEqualTo(4_096);
  }

  @Test
  void theMetadataOfAFullWindowFits() {
    PartitionProgress progress = fresh(7);
    for (long offset = 7; offset < 7 + AnsweredOffsets.MAX_WINDOW; offset++) {
      progress.take(offset);
    }
    for (long offset = 8; offset < 7 + AnsweredOffsets.MAX_WINDOW; offset++) {
      progress.answered(offset);
    }
    AnsweredOffsets answered = again(progress);
    assertThat(answered.contains(7)).isFalse();
    assertThat(answered.contains(7 + AnsweredOffsets.MAX_WINDOW - 1)).isTrue();
    assertThat(bytes(progress.answeredAboveWatermark())).isLessThanOrEqualTo(4_096);
  }

  private static PartitionProgress fresh(long position) {
    return new PartitionProgress(position, AnsweredOffsets.none(position));
  }

  private static AnsweredOffsets again(PartitionProgress progress) {
    return AnsweredOffsets.fromMetadata(
        progress.watermark(), progress.answeredAboveWatermark().toMetadata());
  }

  private static int bytes(AnsweredOffsets answered) {
    return answered.toMetadata().getBytes(StandardCharsets.UTF_8).length;
  }
}
