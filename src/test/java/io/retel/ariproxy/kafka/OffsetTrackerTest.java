// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;

/** Offsets of partitions across revocation and reassignment. */
class OffsetTrackerTest {

  private static final TopicPartition ONE = new TopicPartition("commands", 1);
  private static final TopicPartition TWO = new TopicPartition("commands", 2);

  private final OffsetTracker tracker = new OffsetTracker();

  /** Another consumer has committed since: a lower offset would execute its commands again. */
  @Test
  void knowsNoCommitOfPartitionThatAnotherConsumerHad() {
    tracker.assigned(ONE, 0, null);
    tracker.assigned(TWO, 0, null);
    tracker.rebalanced();
    tracker.acknowledged(tracker.offsetsToCommit());
    tracker.revoked(ONE);
    tracker.revoked(TWO);
    assertThat(tracker.acknowledgedOffsets(Set.of(ONE, TWO))).containsOnlyKeys(ONE, TWO);

    tracker.assigned(TWO, 0, null);
    tracker.rebalanced();
    tracker.revoked(TWO);

    assertThat(tracker.acknowledgedOffsets(Set.of(ONE))).isEmpty();
  }

  @Test
  void returnsChangedOffsetsOnce() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.offsetsToCommit();
    tracker.handle(ONE, 5).commit();
    assertThat(tracker.offsetsToCommit()).containsOnly(Map.entry(ONE, offset(6)));
    assertThat(tracker.offsetsToCommit()).isEmpty();
  }

  @Test
  void returnsOffsetsOfFailedCommitAgain() {
    tracker.assigned(ONE, 5, null);
    tracker.offsetsToCommit();
    tracker.retryCommit(List.of(ONE));
    assertThat(tracker.offsetsToCommit()).containsKey(ONE);
  }

  @Test
  void commitIncludesLeaderEpochAcrossRestart() {
    tracker.assigned(ONE, 5, null);
    assertThat(tracker.offsetsToCommit().get(ONE).leaderEpoch()).isEmpty();
    tracker.accept(ONE, 5, 0);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);
    assertThat(committed.leaderEpoch()).contains(7);

    OffsetTracker restarted = new OffsetTracker();
    restarted.assigned(ONE, committed.offset(), committed);
    assertThat(restarted.offsetsToCommit().get(ONE).leaderEpoch()).contains(7);
  }

  @Test
  void deletedTopicLosesLeaderEpoch() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);

    tracker.commitFailed(List.of(ONE), new RetriableCommitFailedException("timeout"));
    assertThat(tracker.offsetsToCommit().get(ONE)).isEqualTo(committed);

    tracker.commitFailed(
        List.of(ONE),
        new RetriableCommitFailedException(new UnknownTopicOrPartitionException("deleted")));
    assertThat(tracker.offsetsToCommit().get(ONE).leaderEpoch()).isEmpty();
  }

  @Test
  void skippedBatchHasNoEarlierLeaderEpoch() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    tracker.handle(ONE, 5).commit();
    tracker.skipTo(ONE, 6);
    assertThat(tracker.offsetsToCommit().get(ONE).leaderEpoch()).contains(7);

    tracker.skipTo(ONE, 9);
    assertThat(tracker.offsetsToCommit()).containsEntry(ONE, offset(9));
  }

  @Test
  void finalCommitHasNoLeaderEpoch() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    tracker.handle(ONE, 6).commit();
    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);
    tracker.retryCommit(List.of(ONE));

    assertThat(tracker.finalOffsetsToCommit())
        .containsOnly(Map.entry(ONE, new OffsetAndMetadata(5, committed.metadata())));
  }

  @Test
  void finalCommitRepeatsNoAcknowledgedOffsets() {
    tracker.assigned(ONE, 5, offset(5));
    assertThat(tracker.finalOffsetsToCommit()).isEmpty();
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    tracker.handle(ONE, 6).commit();
    Map<TopicPartition, OffsetAndMetadata> offsets = tracker.offsetsToCommit();

    // sent, but not acknowledged yet
    assertThat(tracker.finalOffsetsToCommit()).containsKey(ONE);

    tracker.acknowledged(offsets);
    // the repeated commit fails
    tracker.retryCommit(List.of(ONE));
    tracker.commitFailed(List.of(ONE), new RetriableCommitFailedException("test"));
    assertThat(tracker.finalOffsetsToCommit()).isEmpty();

    tracker.handle(ONE, 5).commit();
    assertThat(tracker.finalOffsetsToCommit())
        .containsOnly(Map.entry(ONE, new OffsetAndMetadata(7, "")));
  }

  @Test
  void commandsBeforeTruncationHoldBackCommits() {
    tracker.assigned(ONE, 5, null);
    for (long offset = 5; offset < 9; offset++) {
      tracker.accept(ONE, offset, 0);
    }
    CommandHandle before = tracker.handle(ONE, 5);
    assertThat(before.tryStart()).isTrue();
    tracker.handle(ONE, 6).commit();
    CommandHandle lost = tracker.handle(ONE, 7);
    tracker.handle(ONE, 8).commit();

    tracker.truncated(ONE, 7);
    assertThat(tracker.accept(ONE, 7, 0)).isTrue();
    tracker.handle(ONE, 7).commit();
    OffsetAndMetadata held = tracker.offsetsToCommit().get(ONE);
    assertThat(held.offset()).isEqualTo(5);
    assertThat(CompletedOffsets.fromMetadata(5, held.metadata()).startingAt(5)).containsExactly(6L);
    assertThat(tracker.finalOffsetsToCommit()).containsOnly(Map.entry(ONE, held));
    assertThat(tracker.started(List.of(ONE))).isOne();

    lost.commit();
    before.commit();
    assertThat(tracker.offsetsToCommit()).containsOnly(Map.entry(ONE, offset(8)));
  }

  @Test
  void eachTruncationHoldsBackCommits() {
    tracker.assigned(ONE, 5, null);
    accept(5, 9);
    CommandHandle first = tracker.handle(ONE, 5);
    for (long offset = 6; offset < 9; offset++) {
      tracker.handle(ONE, offset).commit();
    }
    tracker.truncated(ONE, 9);
    accept(9, 12);
    CommandHandle second = tracker.handle(ONE, 9);
    assertThat(second.tryStart()).isTrue();

    tracker.truncated(ONE, 11);
    accept(11, 13);
    assertCommit(5, 6L, 7L, 8L);
    assertThat(tracker.started(List.of(ONE))).isOne();

    tracker.truncated(ONE, 7);
    accept(7, 8);
    tracker.handle(ONE, 7).commit();
    assertCommit(5, 6L);
    first.commit();
    assertCommit(8);
  }

  @Test
  void commandsBetweenTruncationsHoldBackCommits() {
    tracker.assigned(ONE, 5, null);
    accept(5, 6);
    CommandHandle first = tracker.handle(ONE, 5);
    tracker.truncated(ONE, 6);
    accept(6, 8);
    CommandHandle second = tracker.handle(ONE, 6);
    tracker.handle(ONE, 7).commit();
    tracker.truncated(ONE, 8);
    accept(8, 9);
    tracker.handle(ONE, 8).commit();

    first.commit();
    assertCommit(6, 7L);
    second.commit();
    assertCommit(9);
  }

  private void accept(long from, long end) {
    for (long offset = from; offset < end; offset++) {
      assertThat(tracker.accept(ONE, offset, 0)).isTrue();
    }
  }

  private void assertCommit(long offset, Long... completed) {
    OffsetAndMetadata commit = tracker.offsetsToCommit().get(ONE);
    assertThat(commit.offset()).isEqualTo(offset);
    assertThat(CompletedOffsets.fromMetadata(offset, commit.metadata()).startingAt(offset))
        .containsExactly(completed);
  }

  @Test
  void recreatedTopicHasNoEarlierLeaderEpoch() {
    OffsetAndMetadata earlier = new OffsetAndMetadata(5, Optional.of(7), "");
    tracker.assigned(ONE, 0, null);
    tracker.assigned(ONE, 0, earlier);
    assertThat(tracker.offsetsToCommit().get(ONE).leaderEpoch()).isEmpty();
  }

  @Test
  void sumsBytesOfIncompleteCommands() {
    tracker.assigned(ONE, 5, null);
    tracker.assigned(TWO, 0, null);
    tracker.accept(ONE, 5, 100);
    tracker.accept(ONE, 6, 20);
    tracker.accept(TWO, 0, 3);
    assertThat(tracker.incompleteBytes()).isEqualTo(123);

    tracker.handle(ONE, 6).commit();
    assertThat(tracker.incompleteBytes()).isEqualTo(103);
    tracker.revoked(ONE);
    assertThat(tracker.incompleteBytes()).isEqualTo(3);
  }

  @Test
  void restartPreservesMetadataBeforeFirstRead() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    tracker.handle(ONE, 6).commit();
    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);

    OffsetTracker restarted = new OffsetTracker();
    restarted.assigned(ONE, committed.offset(), committed);
    restarted
        .offsetsToCommit()
        .values()
        .forEach(current -> assertThat(current).isEqualTo(committed));

    assertThat(restarted.accept(ONE, 5, 0)).isTrue();
    assertThat(restarted.accept(ONE, 6, 0)).isFalse();
  }

  @Test
  void startsAtPositionWhenCommittedOffsetIsOutOfRange() {
    tracker.assigned(ONE, 500, new OffsetAndMetadata(5, "somebody's"));
    assertThat(tracker.accept(ONE, 500, 0)).isTrue();
    assertThat(tracker.offsetsToCommit()).containsEntry(ONE, offset(500));
  }

  @Test
  void ignoresMetadataCommittedAtAnotherPosition() {
    tracker.assigned(ONE, 0, null);
    tracker.accept(ONE, 0, 0);
    tracker.accept(ONE, 1, 0);
    tracker.handle(ONE, 1).commit();
    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);
    tracker.assigned(TWO, 0, new OffsetAndMetadata(5, committed.metadata()));
    for (long offset = 0; offset < 10; offset++) {
      assertThat(tracker.accept(TWO, offset, 0)).isTrue();
    }
  }

  @Test
  void revokedPartitionAcceptsAndCommitsNothing() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    CommandHandle accepted = tracker.handle(ONE, 5);
    tracker.revoked(ONE);
    accepted.commit();
    assertThat(tracker.accept(ONE, 6, 0)).isFalse();
    assertThat(tracker.offsetsToCommit()).isEmpty();
    assertThat(tracker.incomplete()).isZero();
    assertThat(tracker.unacknowledged()).isZero();
  }

  @Test
  void countsAcrossPartitions() {
    tracker.assigned(ONE, 0, null);
    tracker.assigned(TWO, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      tracker.accept(ONE, offset, 0);
    }
    tracker.accept(TWO, 0, 0);
    for (long offset = 1; offset < 10; offset++) {
      tracker.handle(ONE, offset).commit();
    }
    assertThat(tracker.incomplete()).isEqualTo(2);
    assertThat(tracker.unacknowledged()).isEqualTo(10);
    tracker.acknowledged(Map.of(ONE, new OffsetAndMetadata(7)));
    assertThat(tracker.unacknowledged()).isEqualTo(3);
  }

  @Test
  void awaitsStartedCommandsOfRevokedPartitionOnly() throws Exception {
    tracker.assigned(ONE, 0, null);
    tracker.assigned(TWO, 0, null);
    tracker.accept(ONE, 0, 0);
    tracker.accept(ONE, 1, 0);
    tracker.accept(TWO, 0, 0);
    CommandHandle started = tracker.handle(ONE, 0);
    started.tryStart();
    tracker.handle(TWO, 0).tryStart();
    CompletableFuture<Integer> remaining =
        Async.supply(
            () -> {
              try {
                return tracker.awaitCompletion(List.of(ONE), 60_000);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    started.commit();
    assertThat(remaining.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isZero();
  }

  @Test
  void returnsRemainingCountOnTimeout() throws Exception {
    tracker.assigned(ONE, 0, null);
    for (long offset = 0; offset < 2; offset++) {
      tracker.accept(ONE, offset, 0);
      tracker.handle(ONE, offset).tryStart();
    }
    assertThat(tracker.awaitCompletion(List.of(ONE, TWO), 1)).isEqualTo(2);
  }

  @Test
  void releasedPartitionStartsNothingAndNextConsumerContinues() {
    tracker.assigned(ONE, 5, null);
    for (long offset = 5; offset < 8; offset++) {
      tracker.accept(ONE, offset, 0);
    }
    CommandHandle first = tracker.handle(ONE, 5);
    CommandHandle second = tracker.handle(ONE, 6);
    CommandHandle third = tracker.handle(ONE, 7);
    assertThat(first.tryStart()).isTrue();
    assertThat(third.tryStart()).isTrue();
    tracker.releasePartitions(List.of(ONE));
    assertThat(second.tryStart()).isFalse();
    assertThat(second.released()).isTrue();
    third.commit();
    first.commit();

    OffsetAndMetadata committed = tracker.offsetsToCommit().get(ONE);
    OffsetTracker next = new OffsetTracker();
    next.assigned(ONE, committed.offset(), committed);
    assertThat(next.accept(ONE, 6, 0)).isTrue();
    assertThat(next.accept(ONE, 7, 0)).isFalse();
    assertThat(next.accept(ONE, 8, 0)).isTrue();
  }

  @Test
  void releasedCommandBlocksLaterCommandsOfItsPartition() throws Exception {
    tracker.assigned(ONE, 5, null);
    tracker.assigned(TWO, 0, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    tracker.accept(TWO, 0, 0);
    CommandHandle first = tracker.handle(ONE, 5);
    CommandHandle second = tracker.handle(ONE, 6);
    first.tryStart();
    first.release();
    assertThat(first.released()).isTrue();
    assertThat(second.tryStart()).isFalse();
    assertThat(tracker.handle(TWO, 0).tryStart()).isTrue();
    assertThat(tracker.accept(ONE, 7, 0)).isFalse();
    assertThat(tracker.awaitCompletion(List.of(ONE), 60_000)).isZero();
    assertThat(tracker.offsetsToCommit()).containsEntry(ONE, offset(5));
  }

  @Test
  void startedCommandIsNotRestartedAfterReassignment() {
    tracker.assigned(ONE, 5, null);
    for (long offset = 5; offset < 9; offset++) {
      tracker.accept(ONE, offset, 0);
    }
    CommandHandle started = tracker.handle(ONE, 5);
    CommandHandle completed = tracker.handle(ONE, 6);
    CommandHandle pending = tracker.handle(ONE, 7);
    started.tryStart();
    completed.tryStart();
    completed.commit();
    // two failed commits; only the first failure is known yet
    tracker.offsetsToCommit();
    tracker.retryCommit(List.of(ONE));
    tracker.offsetsToCommit();
    tracker.revoked(ONE);
    tracker.assigned(ONE, 5, offset(5));

    assertThat(tracker.accept(ONE, 5, 0)).isFalse();
    assertThat(tracker.accept(ONE, 6, 0)).isFalse();
    assertThat(tracker.accept(ONE, 7, 0)).isTrue();
    assertThat(tracker.accept(ONE, 8, 0)).isTrue();
    // only one of the two handles of an offset can start
    assertThat(pending.tryStart()).isTrue();
    assertThat(tracker.handle(ONE, 7).tryStart()).isFalse();
    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isEqualTo(5);
    started.commit();
    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isEqualTo(7);
    CommandHandle reread = tracker.handle(ONE, 7);
    pending.commit();
    assertThat(reread.tryStart()).isFalse();
    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isEqualTo(8);
  }

  @Test
  void commandCompletedAfterReassignmentIsNotAcceptedAgain() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    CommandHandle second = tracker.handle(ONE, 6);
    second.tryStart();
    tracker.offsetsToCommit();
    tracker.revoked(ONE);
    tracker.assigned(ONE, 5, offset(5));
    second.commit();
    assertThat(tracker.accept(ONE, 5, 0)).isTrue();
    assertThat(tracker.accept(ONE, 6, 0)).isFalse();
    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isEqualTo(5);
  }

  @Test
  void completedCommandIsNotAcceptedAfterTwoReassignments() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    CommandHandle second = tracker.handle(ONE, 6);
    second.tryStart();
    tracker.revoked(ONE);
    tracker.assigned(ONE, 5, offset(5));
    second.commit();
    tracker.revoked(ONE);
    tracker.assigned(ONE, 5, offset(5));
    assertThat(tracker.accept(ONE, 5, 0)).isTrue();
    assertThat(tracker.accept(ONE, 6, 0)).isFalse();
  }

  @Test
  void commandCompletedByAnotherConsumerIsNotStarted() {
    tracker.assigned(ONE, 5, null);
    tracker.accept(ONE, 5, 0);
    tracker.accept(ONE, 6, 0);
    CommandHandle first = tracker.handle(ONE, 5);
    CommandHandle second = tracker.handle(ONE, 6);
    second.tryStart();
    tracker.offsetsToCommit();
    tracker.revoked(ONE);
    tracker.assigned(ONE, 7, offset(7));
    assertThat(first.tryStart()).isFalse();
    second.commit();
    assertThat(tracker.incomplete()).isZero();
    assertThat(tracker.offsetsToCommit()).containsEntry(ONE, offset(7));
  }

  @Test
  void runningCommandIsNotRestartedAfterKafkaLostItsCommit() {
    Uuid topicId = Uuid.randomUuid();
    tracker.setTopicIds(Map.of("commands", topicId));
    tracker.assigned(ONE, 5, offset(5));
    accept(5, 8);
    tracker.recordLeaderEpoch(ONE, Optional.of(7));
    tracker.handle(ONE, 5).commit();
    CommandHandle running = tracker.handle(ONE, 6);
    assertThat(running.tryStart()).isTrue();
    tracker.handle(ONE, 7).commit();
    tracker.acknowledged(tracker.offsetsToCommit());
    tracker.revoked(ONE);

    OffsetAndMetadata known = tracker.acknowledgedOffsets(Set.of(ONE, TWO)).get(ONE);
    assertThat(known.offset()).isEqualTo(6);
    assertThat(known.leaderEpoch()).contains(7);
    assertThat(CompletedOffsets.isOfTopic(known.metadata(), topicId)).isTrue();
    tracker.assigned(ONE, 6, known);
    assertThat(tracker.accept(ONE, 6, 0)).isFalse();
    assertThat(tracker.accept(ONE, 7, 0)).isFalse();
    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isEqualTo(6);
    running.commit();
    assertCommit(8);
  }

  @Test
  void recreatedTopicIsReadFromItsBeginning() {
    tracker.assigned(ONE, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      tracker.accept(ONE, offset, 0);
      tracker.handle(ONE, offset).tryStart();
      tracker.handle(ONE, offset).commit();
    }
    tracker.acknowledged(tracker.offsetsToCommit());
    tracker.revoked(ONE);
    tracker.assigned(ONE, 0, null);
    for (long offset = 0; offset < 10; offset++) {
      assertThat(tracker.accept(ONE, offset, 0)).isTrue();
    }
  }

  /** Otherwise the first command of the new topic would count as completed. */
  @Test
  void recreatedTopicHasNoCommandsCompletedWithoutCommit() {
    completeWithoutCommit(Uuid.randomUuid());

    tracker.setTopicIds(Map.of("commands", Uuid.randomUuid()));
    tracker.assigned(ONE, 0, offset(0));

    assertThat(tracker.accept(ONE, 0, 0)).isTrue();
    assertThat(tracker.handle(ONE, 0).tryStart()).isTrue();
  }

  @Test
  void sameTopicHasCommandsCompletedWithoutCommit() {
    Uuid topicId = Uuid.randomUuid();
    completeWithoutCommit(topicId);

    tracker.setTopicIds(Map.of("commands", topicId));
    tracker.assigned(ONE, 0, offset(0));

    assertThat(tracker.accept(ONE, 0, 0)).isFalse();
  }

  private void completeWithoutCommit(Uuid topicId) {
    tracker.setTopicIds(Map.of("commands", topicId));
    tracker.assigned(ONE, 0, offset(0));
    tracker.accept(ONE, 0, 0);
    tracker.handle(ONE, 0).tryStart();
    tracker.handle(ONE, 0).commit();
    tracker.revoked(ONE);
  }

  /** Kafka's consumer continues it at its position. */
  @Test
  void namesAssignedPartitionsOfRecreatedTopic() {
    TopicPartition other = new TopicPartition("other", 0);
    tracker.setTopicIds(Map.of("commands", Uuid.randomUuid(), "other", Uuid.randomUuid()));
    List.of(ONE, TWO, other).forEach(partition -> tracker.assigned(partition, 0, null));
    tracker.revoked(TWO);

    assertThat(tracker.recreated(Map.of())).isEmpty();
    assertThat(tracker.recreated(Map.of("commands", Uuid.randomUuid()))).containsExactly(ONE);
  }

  @Test
  void topicWithoutIdUntilNowIsNotRecreated() {
    tracker.assigned(ONE, 0, null);

    assertThat(tracker.recreated(Map.of("commands", Uuid.randomUuid()))).isEmpty();
  }

  @Test
  void commandsOfDeletedTopicAreNotCommitted() {
    tracker.setTopicIds(Map.of("commands", Uuid.randomUuid(), "other", Uuid.randomUuid()));
    tracker.assigned(ONE, 0, null);
    tracker.accept(ONE, 0, 0);
    CommandHandle running = tracker.handle(ONE, 0);
    running.tryStart();

    Map<String, Uuid> ids = Map.of("commands", Uuid.randomUuid());
    assertThat(tracker.recreated(ids)).containsExactly(ONE);
    tracker.setTopicIds(ids);
    assertThat(tracker.recreated(ids)).isEmpty();
    assertThat(tracker.finalOffsetsToCommit()).isEmpty();
    tracker.assigned(ONE, 0, null);
    running.commit();

    assertThat(tracker.offsetsToCommit().get(ONE).offset()).isZero();
  }

  private static OffsetAndMetadata offset(long offset) {
    return new OffsetAndMetadata(offset, "");
  }
}
