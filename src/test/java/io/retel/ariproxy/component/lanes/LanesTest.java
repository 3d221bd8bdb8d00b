// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** One lease per key, FIFO order per key, keys served in turn. */
class LanesTest {

  private static final Lanes.Results<Integer> WITHOUT_RESULT =
      new Lanes.Results<>() {
        @Override
        public boolean has(Integer item) {
          return false;
        }

        @Override
        public boolean isMissing(Integer item) {
          return false;
        }
      };

  private final Lanes<Integer> lanes = new Lanes<>(WITHOUT_RESULT, () -> false);

  private void put(String key, int item) {
    lanes.put(key, null, item);
  }

  private Lanes.Lease<Integer> lease() throws InterruptedException {
    return lanes.lease(0);
  }

  private Lanes.Lease<Integer> awaitLease() {
    try {
      return lanes.lease(TimeUnit.SECONDS.toMillis(DefaultTimeout.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void leasesItemsOfOneKeySequentially() throws Exception {
    put("a", 1);
    put("a", 2);
    Lanes.Lease<Integer> first = lease();
    assertThat(first.item()).isEqualTo(1);
    assertThat(lease()).isNull();
    lanes.complete(first);
    assertThat(lease().item()).isEqualTo(2);
  }

  @Test
  void leasesDifferentKeysConcurrently() throws Exception {
    put("a", 1);
    put("b", 2);
    assertThat(lease().item()).isEqualTo(1);
    assertThat(lease().item()).isEqualTo(2);
    assertThat(lanes.leased()).isEqualTo(2);
    assertThat(lanes.queued()).isZero();
  }

  @Test
  void leasesKeysRoundRobin() throws Exception {
    for (int i = 0; i < 3; i++) {
      put("busy", i);
    }
    put("quiet", 10);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Lanes.Lease<Integer> lease = lease();
      order.add(lease.item());
      lanes.complete(lease);
    }
    assertThat(order).containsExactly(0, 10, 1, 2);
  }

  @Test
  void requeuesAtFront() throws Exception {
    put("a", 1);
    put("a", 2);
    put("b", 3);
    Lanes.Lease<Integer> first = lease();
    lanes.requeue(first);
    assertThat(lanes.queued()).isEqualTo(3);
    assertThat(lanes.leased()).isZero();
    assertThat(lease().item()).isEqualTo(1);
    assertThat(lease().item()).isEqualTo(3);
    assertThat(lease()).isNull();
  }

  @Test
  void queuesBehindLeasedItem() throws Exception {
    put("a", 1);
    Lanes.Lease<Integer> first = lease();
    put("a", 2);
    assertThat(lease()).isNull();
    lanes.requeue(first);
    assertThat(lease().item()).isEqualTo(1);
  }

  @Test
  void completesLeaseOnlyOnce() throws Exception {
    put("a", 1);
    put("a", 2);
    put("a", 3);
    Lanes.Lease<Integer> first = lease();
    lanes.complete(first);
    Lanes.Lease<Integer> second = lease();
    lanes.complete(first);
    lanes.requeue(first);
    assertThat(lease()).as("while the second is leased").isNull();
    lanes.complete(second);
    assertThat(lease().item()).isEqualTo(3);
    assertThat(lanes.leased()).isEqualTo(1);
    assertThat(lanes.queued()).isZero();
  }

  @Test
  void removesEmptyLanes() throws Exception {
    for (int i = 0; i < 1_000; i++) {
      put("key " + i, i);
      lanes.complete(lease());
    }
    assertThat(lanes.keyCount()).isZero();
    assertThat(lanes.leased()).isZero();
  }

  @Test
  void leaseWaitsForItem() throws Exception {
    CompletableFuture<Lanes.Lease<Integer>> waiting = Async.supply(this::awaitLease);
    put("a", 1);
    assertThat(waiting.get(DefaultTimeout.SECONDS, TimeUnit.SECONDS).item()).isEqualTo(1);
  }

  /** The others wait in vain, and can end. */
  @Test
  void leasesToThreadThatBeganToWaitLast() throws Exception {
    CompletableFuture<Lanes.Lease<Integer>> first = Async.supply(this::awaitLease);
    await().until(() -> lanes.waiting() == 1);
    CompletableFuture<Lanes.Lease<Integer>> last = Async.supply(this::awaitLease);
    await().until(() -> lanes.waiting() == 2);

    put("a", 1);

    assertThat(last).succeedsWithin(DefaultTimeout.DURATION);
    assertThat(first).isNotDone();
    put("b", 2);
    assertThat(first).succeedsWithin(DefaultTimeout.DURATION);
  }

  @Test
  void waitingThreadLeasesOverdueItem() throws Exception {
    lanes.limitGroups(2, 300);
    lanes.put("a", "answer", 1);
    lanes.put("b", "answer", 2);
    assertThat(lease().item()).isEqualTo(1);

    Lanes.Lease<Integer> lease = awaitLease();

    assertThat(lease.item()).isEqualTo(2);
    assertThat(lease.overdue()).isNotNull();
  }

  @Test
  void preservesOrderWithManyThreads() throws Exception {
    int keys = 50;
    int perKey = 1_000;
    Map<String, Integer> next = new ConcurrentHashMap<>();
    AtomicInteger errors = new AtomicInteger();
    CountDownLatch remaining = new CountDownLatch(keys * perKey);
    ExecutorService workers = Executors.newFixedThreadPool(64);
    for (int i = 0; i < 64; i++) {
      workers.execute(
          () -> {
            try {
              while (remaining.getCount() > 0) {
                Lanes.Lease<Integer> lease = lanes.lease(50);
                if (lease == null) {
                  continue;
                }
                if (lease.item() % 17 == 0 && Thread.currentThread().getId() % 3 == 0) {
                  lanes.requeue(lease);
                  continue;
                }
                Integer expected = next.getOrDefault(lease.key(), 0);
                if (!expected.equals(lease.item())) {
                  errors.incrementAndGet();
                }
                next.put(lease.key(), lease.item() + 1);
                lanes.complete(lease);
                remaining.countDown();
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
    for (int item = 0; item < perKey; item++) {
      for (int key = 0; key < keys; key++) {
        put("key " + key, item);
      }
    }
    assertThat(remaining.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    workers.shutdown();
    assertThat(workers.awaitTermination(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(errors).hasValue(0);
    assertThat(lanes.keyCount() + lanes.leased() + lanes.queued()).isZero();
  }
}
