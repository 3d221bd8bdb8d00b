// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Limits of groups: what hangs leaves consumers to others. */
class LanesGroupTest {

  private static final int CONSUMERS = 48;
  private static final int TIMEOUT_MS = 10_000;

  private final AtomicLong nanos = new AtomicLong();
  private final Set<Integer> withResult = new HashSet<>();
  private final Set<Integer> withoutResult = new HashSet<>();
  private final Lanes<Integer> lanes =
      new Lanes<>(
          nanos::get,
          new Lanes.Results<>() {
            @Override
            public boolean has(Integer item) {
              return withResult.contains(item);
            }

            @Override
            public boolean isMissing(Integer item) {
              return withoutResult.contains(item);
            }
          },
          this::isFull);
  private boolean full;
  private int consumers = CONSUMERS;
  private int busy;
  private int keys;

  private boolean isFull() {
    return full;
  }

  @BeforeEach
  void limitGroups() {
    lanes.limitGroups(consumers, TIMEOUT_MS);
  }

  private void limitGroups(int limit) {
    consumers = limit;
    limitGroups();
  }

  private void put(String group, int count) {
    for (int i = 0; i < count; i++) {
      lanes.put("key " + keys++, group, i);
    }
  }

  /** Leases what free consumers can, and processes it until {@link #processed}. */
  private List<Lanes.Lease<Integer>> leaseAll() throws InterruptedException {
    List<Lanes.Lease<Integer>> leases = new ArrayList<>();
    while (busy < consumers) {
      Lanes.Lease<Integer> lease = lanes.lease(0);
      if (lease == null) {
        break;
      }
      busy++;
      leases.add(lease);
    }
    return leases;
  }

  private void processed(Lanes.Lease<Integer> lease) {
    busy--;
    lanes.processed(lease);
  }

  private void advance(int millis) {
    nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  /** One call could fill the queue, and stop all others. */
  @Test
  void fullQueueRejectsItemsThatHaveWaitedBehindHangingOne() throws Exception {
    full = true;
    for (int i = 0; i < 4; i++) {
      lanes.put("call", null, i);
    }
    Lanes.Lease<Integer> hanging = lanes.lease(0);
    advance(TIMEOUT_MS);
    lanes.put("call", null, 4);
    withoutResult.add(0);
    complete(hanging);

    assertNextFollowsHanging(1, true);
    assertNextFollowsHanging(2, true);
    full = false;
    assertNextFollowsHanging(3, false);
    full = true;
    // the previous one has ended at once
    assertNextFollowsHanging(4, false);
  }

  @Test
  void fullQueueRejectsNoItemThatHasJustArrived() throws Exception {
    full = true;
    lanes.put("call", null, 0);
    Lanes.Lease<Integer> hanging = lanes.lease(0);
    advance(TIMEOUT_MS);
    lanes.put("call", null, 1);
    withoutResult.add(0);
    complete(hanging);
    assertNextFollowsHanging(1, false);
  }

  @ParameterizedTest
  @CsvSource({"true, 999", "false, 10000"})
  void fullQueueRejectsNoItemBehindOneThatDidNotHang(boolean missing, int millis) throws Exception {
    full = true;
    lanes.put("call", null, 0);
    lanes.put("call", null, 1);
    advance(TIMEOUT_MS);
    Lanes.Lease<Integer> first = lanes.lease(0);
    advance(millis);
    if (missing) {
      withoutResult.add(0);
    }
    complete(first);
    assertNextFollowsHanging(1, false);
  }

  private void assertNextFollowsHanging(int item, boolean expected) throws InterruptedException {
    Lanes.Lease<Integer> lease = lanes.lease(0);
    assertThat(lease.item()).isEqualTo(item);
    assertThat(lease.followsHanging()).as("item %d", item).isEqualTo(expected);
    complete(lease);
  }

  private void complete(Lanes.Lease<Integer> lease) {
    lanes.processed(lease);
    lanes.complete(lease);
  }

  @Test
  void hangingGroupLeavesThirdOfConsumers() throws Exception {
    put("answer", 200);
    assertThat(leaseAll()).hasSize(32);

    put("ping", 1);
    assertThat(leaseAll()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"1, 16", "2, 10", "3, 7", "6, 4", "10, 3"})
  void groupsThatHangTogetherLeaveConsumers(int groups, int free) throws Exception {
    for (int i = 0; i < 200; i++) {
      for (int group = 0; group < groups; group++) {
        put("operation " + group, 1);
      }
    }
    assertThat(leaseAll()).hasSize(CONSUMERS - free);

    put("other", 1);
    assertThat(leaseAll()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"1, 16", "2, 6", "3, 2", "4, 1"})
  void groupsThatHangOneAfterTheOtherLeaveConsumers(int groups, int free) throws Exception {
    for (int i = 0; i < groups; i++) {
      put("operation " + i, 200);
      leaseAll();
    }
    assertThat(busy).isEqualTo(CONSUMERS - free);

    put("other", 1);
    assertThat(leaseAll()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 1", "3, 2", "4, 2", "8, 5"})
  void limitsFewConsumers(int limit, int leased) throws Exception {
    limitGroups(limit);
    put("answer", 10);
    assertThat(leaseAll()).hasSize(leased);
  }

  @Test
  void doesNotLimitItemsWithoutGroup() throws Exception {
    put(null, 200);
    assertThat(leaseAll()).hasSize(CONSUMERS);
  }

  @Test
  void servesGroupsInOrderOfReadiness() throws Exception {
    lanes.put("a", "one", 1);
    lanes.put("b", "two", 2);
    lanes.put("c", "one", 3);
    assertThat(leaseAll()).extracting(Lanes.Lease::item).containsExactly(1, 2, 3);
  }

  @Test
  void nextItemOfLaneHasItsOwnGroup() throws Exception {
    lanes.put("call", "answer", 1);
    lanes.put("call", "hang up", 2);
    put("answer", 100);
    List<Lanes.Lease<Integer>> leases = leaseAll();

    processed(leases.get(0));
    lanes.complete(leases.get(0));

    assertThat(leaseAll()).extracting(Lanes.Lease::key).contains("call");
  }

  @Test
  void consumerIsFreeBeforeLeaseEnds() throws Exception {
    put("answer", 200);
    List<Lanes.Lease<Integer>> leases = leaseAll();

    leases.forEach(this::processed);

    assertThat(leaseAll()).as("while Kafka acknowledges the others").hasSize(32);
    assertThat(lanes.leased()).isEqualTo(64);
  }

  @Test
  void freedConsumersStartAllWaitingLanesThatCan() throws Exception {
    put("answer", 100);
    List<Lanes.Lease<Integer>> leases = leaseAll();
    List<CompletableFuture<Lanes.Lease<Integer>>> waiting = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      waiting.add(
          Async.supply(
              () -> {
                try {
                  return lanes.lease(TimeUnit.SECONDS.toMillis(DefaultTimeout.SECONDS));
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              }));
    }

    leases.subList(0, 4).forEach(lanes::processed);

    for (CompletableFuture<Lanes.Lease<Integer>> lease : waiting) {
      assertThat(lease.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isNotNull();
    }
  }

  @Test
  void leasesOverdueItemOfHangingGroup() throws Exception {
    put("answer", 33);
    assertThat(leaseAll()).hasSize(32);

    advance(TIMEOUT_MS - 1);
    assertThat(lanes.lease(0)).isNull();
    advance(1);
    GroupActivity overdue = Objects.requireNonNull(lanes.lease(0)).overdue();

    assertThat(overdue).isEqualTo(new GroupActivity("answer", 32, Duration.ofSeconds(10), 0));
  }

  @Test
  void slowGroupThatProgressesIsNotOverdue() throws Exception {
    put("originate", 1_000);
    List<Lanes.Lease<Integer>> leases = leaseAll();
    for (int round = 0; round < 20; round++) {
      advance(TIMEOUT_MS / 10 - 1);
      leases.forEach(this::processed);
      leases.forEach(lanes::complete);
      leases = leaseAll();
      assertThat(leases).hasSize(32).allMatch(lease -> lease.overdue() == null);
    }
  }

  @Test
  void itemWithResultDoesNotHang() throws Exception {
    put("answer", 33);
    List<Lanes.Lease<Integer>> leases = leaseAll();
    leases.subList(0, 17).forEach(lease -> withResult.add(lease.item()));

    advance(TIMEOUT_MS);

    assertThat(lanes.lease(0)).as("less than half of 32 hang").isNull();
    assertThat(lanes.hanging())
        .containsExactly(new GroupActivity("answer", 15, Duration.ofSeconds(10), 1));
    withResult.addAll(leases.stream().map(Lanes.Lease::item).toList());
    assertThat(lanes.hanging()).isEmpty();
    limitGroups(32);
    assertThat(lanes.isBlocked()).isFalse();
    busy = 0;
    limitGroups(CONSUMERS);
    assertThat(leaseAll()).as("no more than its share").isEmpty();
  }

  @Test
  void reportsHangingGroups() throws Exception {
    put("answer", 40);
    put("ping", 1);
    leaseAll();
    advance(TIMEOUT_MS / 10 - 1);
    assertThat(lanes.hanging()).isEmpty();

    advance(1);
    assertThat(lanes.hanging())
        .containsExactlyInAnyOrder(
            new GroupActivity("answer", 32, Duration.ofSeconds(1), 8),
            new GroupActivity("ping", 1, Duration.ofSeconds(1), 0));
  }

  @Test
  void isBlockedOnlyWhileAllConsumersHangAndOthersWait() throws Exception {
    limitGroups(3);
    put("answer", 1);
    put("ring", 1);
    put("hold", 1);
    leaseAll();
    advance(TIMEOUT_MS);
    assertThat(lanes.isBlocked()).as("nothing waits").isFalse();

    put("ping", 1);
    assertThat(lanes.isBlocked()).isTrue();

    limitGroups(4);
    assertThat(lanes.isBlocked()).as("a consumer is free").isFalse();
  }
}
