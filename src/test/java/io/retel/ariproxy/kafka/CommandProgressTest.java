package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.Patience;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** The progress of partitions that come and go. */
class CommandProgressTest {

  private static final TopicPartition ONE = new TopicPartition("commands", 1);
  private static final TopicPartition TWO = new TopicPartition("commands", 2);

  private final CommandProgress progress = new CommandProgress();

  @Test
  void commitsWhatHasChangedOnce() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    progress.toCommit();
    progress.offset(ONE, 5).commit();
    assertThat(progress.toCommit()).containsOnly(Map.entry(ONE, offset(6)));
    assertThat(progress.toCommit()).isEmpty();
  }

  @Test
  void commitsAgainWhatFailed() {
    progress.assigned(ONE, 5, null);
    progress.toCommit();
    progress.commitAgain(List.of(ONE));
    assertThat(progress.toCommit()).containsKey(ONE);
  }

  @Test
  void aRestartDoesNotLoseTheMetadataBeforeItHasReadAnything() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    progress.take(ONE, 6);
    progress.offset(ONE, 6).commit();
    OffsetAndMetadata committed = progress.toCommit().get(ONE);

    CommandProgress restarted = new CommandProgress();
    restarted.assigned(ONE, committed.offset(), committed);
    restarted.toCommit().values().forEach(now -> assertThat(now).isEqualTo(committed));

    assertThat(restarted.take(ONE, 5)).isTrue();
    assertThat(restarted.take(ONE, 6)).isFalse();
  }

  @Test
  void goesOnFromThePositionWhenTheCommittedOffsetIsOutOfRange() {
    progress.assigned(ONE, 500, new OffsetAndMetadata(5, "somebody's"));
    assertThat(progress.take(ONE, 500)).isTrue();
    assertThat(progress.toCommit()).containsEntry(ONE, offset(500));
  }

  @Test
  void doesNotTakeTheAnswersOfATopicThatWasMadeAnew() {
    progress.assigned(ONE, 0, null);
    progress.take(ONE, 0);
    progress.take(ONE, 1);
    progress.offset(ONE, 1).commit();
    OffsetAndMetadata before = progress.toCommit().get(ONE);
    progress.assigned(TWO, 0, new OffsetAndMetadata(5, before.metadata()));
    for (long offset = 0; offset < 10; offset++) {
      assertThat(progress.take(TWO, offset)).isTrue();
    }
  }

  @Test
  void aPartitionThatIsGoneTakesAndCommitsNothing() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    CommandOffset taken = progress.offset(ONE, 5);
    progress.gone(ONE);
    taken.commit();
    assertThat(progress.take(ONE, 6)).isFalse();
    assertThat(progress.toCommit()).isEmpty();
    assertThat(progress.unanswered()).isZero();
    assertThat(progress.window()).isZero();
  }

  @Test
  void countsOverAllPartitions() {
    progress.assigned(ONE, 0, null);
    progress.assigned(TWO, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      progress.take(ONE, offset);
    }
    progress.take(TWO, 0);
    for (long offset = 1; offset < 10; offset++) {
      progress.offset(ONE, offset).commit();
    }
    assertThat(progress.unanswered()).isEqualTo(2);
    assertThat(progress.window()).isEqualTo(10);
  }

  @Test
  void awaitsTheAnswersOfWhatIsBegunInARevokedPartitionAlone() throws Exception {
    progress.assigned(ONE, 0, null);
    progress.assigned(TWO, 0, null);
    progress.take(ONE, 0);
    progress.take(ONE, 1);
    progress.take(TWO, 0);
    CommandOffset begun = progress.offset(ONE, 0);
    begun.begin();
    progress.offset(TWO, 0).begin();
    CompletableFuture<Integer> left =
        Async.supply(
            () -> {
              try {
                return progress.awaitBegun(List.of(ONE), 60_000);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    begun.commit();
    assertThat(left.get(Patience.SECONDS, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void tellsHowManyAreLeftWhenItHasWaitedLongEnough() throws Exception {
    progress.assigned(ONE, 0, null);
    for (long offset = 0; offset < 2; offset++) {
      progress.take(ONE, offset);
      progress.offset(ONE, offset).begin();
    }
    assertThat(progress.awaitBegun(List.of(ONE, TWO), 1)).isEqualTo(2);
  }

  @Test
  void nothingMoreIsBegunOfAPartitionThatIsGivenBackAndItsNextReaderTakesIt() {
    progress.assigned(ONE, 5, null);
    for (long offset = 5; offset < 8; offset++) {
      progress.take(ONE, offset);
    }
    CommandOffset first = progress.offset(ONE, 5);
    CommandOffset second = progress.offset(ONE, 6);
    CommandOffset third = progress.offset(ONE, 7);
    assertThat(first.begin()).isTrue();
    assertThat(third.begin()).isTrue();
    progress.giveBack(List.of(ONE));
    assertThat(second.begin()).isFalse();
    assertThat(second.left()).isTrue();
    third.commit();
    first.commit();

    OffsetAndMetadata committed = progress.toCommit().get(ONE);
    CommandProgress next = new CommandProgress();
    next.assigned(ONE, committed.offset(), committed);
    assertThat(next.take(ONE, 6)).isTrue();
    assertThat(next.take(ONE, 7)).isFalse();
    assertThat(next.take(ONE, 8)).isTrue();
  }

  @Test
  void whatIsLeftStaysUnansweredAndNothingBehindItInItsPartitionIsBegun() throws Exception {
    progress.assigned(ONE, 5, null);
    progress.assigned(TWO, 0, null);
    progress.take(ONE, 5);
    progress.take(ONE, 6);
    progress.take(TWO, 0);
    CommandOffset first = progress.offset(ONE, 5);
    CommandOffset second = progress.offset(ONE, 6);
    first.begin();
    first.leave();
    assertThat(first.left()).isTrue();
    assertThat(second.begin()).isFalse();
    assertThat(progress.offset(TWO, 0).begin()).isTrue();
    assertThat(progress.take(ONE, 7)).isFalse();
    assertThat(progress.awaitBegun(List.of(ONE), 60_000)).isZero();
    assertThat(progress.toCommit()).containsEntry(ONE, offset(5));
  }

  @Test
  void whatIsUnderWayWhenAPartitionIsLostIsNotBegunAgainWhenItIsBack() {
    progress.assigned(ONE, 5, null);
    for (long offset = 5; offset < 9; offset++) {
      progress.take(ONE, offset);
    }
    CommandOffset underWay = progress.offset(ONE, 5);
    CommandOffset answered = progress.offset(ONE, 6);
    CommandOffset waiting = progress.offset(ONE, 7);
    underWay.begin();
    answered.begin();
    answered.commit();
    // a commit that fails, whether that is known already or not
    progress.toCommit();
    progress.commitAgain(List.of(ONE));
    progress.toCommit();
    progress.gone(ONE);
    progress.assigned(ONE, 5, offset(5));

    assertThat(progress.take(ONE, 5)).isFalse();
    assertThat(progress.take(ONE, 6)).isFalse();
    assertThat(progress.take(ONE, 7)).isTrue();
    assertThat(progress.take(ONE, 8)).isTrue();
    // one of the two that are here now
    assertThat(waiting.begin()).isTrue();
    assertThat(progress.offset(ONE, 7).begin()).isFalse();
    assertThat(progress.toCommit().get(ONE).offset()).isEqualTo(5);
    underWay.commit();
    assertThat(progress.toCommit().get(ONE).offset()).isEqualTo(7);
    CommandOffset readAgain = progress.offset(ONE, 7);
    waiting.commit();
    assertThat(readAgain.begin()).isFalse();
    assertThat(progress.toCommit().get(ONE).offset()).isEqualTo(8);
  }

  @Test
  void whatIsAnsweredBeforeALostPartitionIsReadAgainIsNotTakenAgain() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    progress.take(ONE, 6);
    CommandOffset second = progress.offset(ONE, 6);
    second.begin();
    progress.toCommit();
    progress.gone(ONE);
    progress.assigned(ONE, 5, offset(5));
    second.commit();
    assertThat(progress.take(ONE, 5)).isTrue();
    assertThat(progress.take(ONE, 6)).isFalse();
    assertThat(progress.toCommit().get(ONE).offset()).isEqualTo(5);
  }

  @Test
  void whatIsAnsweredIsNotTakenAgainThoughThePartitionIsLostTwice() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    progress.take(ONE, 6);
    CommandOffset second = progress.offset(ONE, 6);
    second.begin();
    progress.gone(ONE);
    progress.assigned(ONE, 5, offset(5));
    second.commit();
    progress.gone(ONE);
    progress.assigned(ONE, 5, offset(5));
    assertThat(progress.take(ONE, 5)).isTrue();
    assertThat(progress.take(ONE, 6)).isFalse();
  }

  @Test
  void whatAnotherReaderHasAnsweredMeanwhileIsNotBegun() {
    progress.assigned(ONE, 5, null);
    progress.take(ONE, 5);
    progress.take(ONE, 6);
    CommandOffset first = progress.offset(ONE, 5);
    CommandOffset second = progress.offset(ONE, 6);
    second.begin();
    progress.toCommit();
    progress.gone(ONE);
    progress.assigned(ONE, 7, offset(7));
    assertThat(first.begin()).isFalse();
    second.commit();
    assertThat(progress.unanswered()).isZero();
    assertThat(progress.toCommit()).containsEntry(ONE, offset(7));
  }

  @Test
  void aTopicThatWasMadeAnewIsReadFromItsBeginning() {
    progress.assigned(ONE, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      progress.take(ONE, offset);
      progress.offset(ONE, offset).begin();
      progress.offset(ONE, offset).commit();
    }
    progress.acknowledged(progress.toCommit());
    progress.gone(ONE);
    progress.assigned(ONE, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      assertThat(progress.take(ONE, offset)).isTrue();
    }
  }

  private static OffsetAndMetadata offset(long offset) {
    return new OffsetAndMetadata(offset, "");
  }
}
