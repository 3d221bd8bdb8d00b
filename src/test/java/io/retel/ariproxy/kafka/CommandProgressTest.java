package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
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
    progress.answered(ONE, 5);
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
    progress.answered(ONE, 6);
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
    progress.answered(ONE, 1);
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
    progress.gone(ONE);
    progress.answered(ONE, 5);
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
      progress.answered(ONE, offset);
    }
    assertThat(progress.unanswered()).isEqualTo(2);
    assertThat(progress.window()).isEqualTo(10);
  }

  @Test
  void awaitsTheAnswersOfARevokedPartitionAlone() throws Exception {
    progress.assigned(ONE, 0, null);
    progress.assigned(TWO, 0, null);
    progress.take(ONE, 0);
    progress.take(TWO, 0);
    CompletableFuture<Integer> left =
        Async.supply(
            () -> {
              try {
                return progress.awaitAnswered(List.of(ONE), 60_000);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    progress.answered(ONE, 0);
    assertThat(left.get(30, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void tellsHowManyAreLeftWhenItHasWaitedLongEnough() throws Exception {
    progress.assigned(ONE, 0, null);
    progress.take(ONE, 0);
    progress.take(ONE, 1);
    assertThat(progress.awaitAnswered(List.of(ONE, TWO), 1)).isEqualTo(2);
  }

  private static OffsetAndMetadata offset(long offset) {
    return new OffsetAndMetadata(offset, "");
  }
}
