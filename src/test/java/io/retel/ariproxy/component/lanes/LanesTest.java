package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.Patience;
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

/** One lease per key, items of a key in order, keys in turn. */
class LanesTest {

  private final Lanes<Integer> lanes = new Lanes<>();

  private Lanes.Lease<Integer> lease() throws InterruptedException {
    return lanes.lease(0);
  }

  @Test
  void leasesTheItemsOfAKeyOneAfterTheOther() throws Exception {
    lanes.put("a", 1);
    lanes.put("a", 2);
    Lanes.Lease<Integer> first = lease();
    assertThat(first.item()).isEqualTo(1);
    assertThat(lease()).isNull();
    lanes.end(first);
    assertThat(lease().item()).isEqualTo(2);
  }

  @Test
  void leasesDifferentKeysSideBySide() throws Exception {
    lanes.put("a", 1);
    lanes.put("b", 2);
    assertThat(lease().item()).isEqualTo(1);
    assertThat(lease().item()).isEqualTo(2);
    assertThat(lanes.leased()).isEqualTo(2);
    assertThat(lanes.waiting()).isZero();
  }

  @Test
  void takesKeysInTurn() throws Exception {
    for (int i = 0; i < 3; i++) {
      lanes.put("busy", i);
    }
    lanes.put("quiet", 10);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Lanes.Lease<Integer> lease = lease();
      order.add(lease.item());
      lanes.end(lease);
    }
    assertThat(order).containsExactly(0, 10, 1, 2);
  }

  @Test
  void givesBackToTheFront() throws Exception {
    lanes.put("a", 1);
    lanes.put("a", 2);
    lanes.put("b", 3);
    Lanes.Lease<Integer> first = lease();
    lanes.giveBack(first);
    assertThat(lanes.waiting()).isEqualTo(3);
    assertThat(lanes.leased()).isZero();
    assertThat(lease().item()).isEqualTo(1);
    assertThat(lease().item()).isEqualTo(3);
    assertThat(lease()).isNull();
  }

  @Test
  void putsBehindWhatIsLeased() throws Exception {
    lanes.put("a", 1);
    Lanes.Lease<Integer> first = lease();
    lanes.put("a", 2);
    assertThat(lease()).isNull();
    lanes.giveBack(first);
    assertThat(lease().item()).isEqualTo(1);
  }

  @Test
  void endsALeaseOnce() throws Exception {
    lanes.put("a", 1);
    lanes.put("a", 2);
    lanes.put("a", 3);
    Lanes.Lease<Integer> first = lease();
    lanes.end(first);
    Lanes.Lease<Integer> second = lease();
    lanes.end(first);
    lanes.giveBack(first);
    assertThat(lease()).as("while the second is leased").isNull();
    lanes.end(second);
    assertThat(lease().item()).isEqualTo(3);
    assertThat(lanes.leased()).isEqualTo(1);
    assertThat(lanes.waiting()).isZero();
  }

  @Test
  void forgetsAKeyThatIsDone() throws Exception {
    for (int i = 0; i < 1_000; i++) {
      lanes.put("key " + i, i);
      lanes.end(lease());
    }
    assertThat(lanes.keys()).isZero();
    assertThat(lanes.leased()).isZero();
  }

  @Test
  void waitsForAnItem() throws Exception {
    CompletableFuture<Lanes.Lease<Integer>> waiting =
        Async.supply(
            () -> {
              try {
                return lanes.lease(TimeUnit.SECONDS.toMillis(20));
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    lanes.put("a", 1);
    assertThat(waiting.get(Patience.SECONDS, TimeUnit.SECONDS).item()).isEqualTo(1);
  }

  @Test
  void keepsOrderAmongManyThreads() throws Exception {
    int keys = 50;
    int perKey = 1_000;
    Map<String, Integer> next = new ConcurrentHashMap<>();
    AtomicInteger faults = new AtomicInteger();
    CountDownLatch left = new CountDownLatch(keys * perKey);
    ExecutorService workers = Executors.newFixedThreadPool(64);
    for (int i = 0; i < 64; i++) {
      workers.execute(
          () -> {
            try {
              while (left.getCount() > 0) {
                Lanes.Lease<Integer> lease = lanes.lease(50);
                if (lease == null) {
                  continue;
                }
                if (lease.item() % 17 == 0 && Thread.currentThread().getId() % 3 == 0) {
                  lanes.giveBack(lease);
                  continue;
                }
                Integer expected = next.getOrDefault(lease.key(), 0);
                if (!expected.equals(lease.item())) {
                  faults.incrementAndGet();
                }
                next.put(lease.key(), lease.item() + 1);
                lanes.end(lease);
                left.countDown();
              }
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          });
    }
    for (int item = 0; item < perKey; item++) {
      for (int key = 0; key < keys; key++) {
        lanes.put("key " + key, item);
      }
    }
    assertThat(left.await(Patience.SECONDS, TimeUnit.SECONDS)).isTrue();
    workers.shutdown();
    assertThat(workers.awaitTermination(Patience.SECONDS, TimeUnit.SECONDS)).isTrue();
    assertThat(faults).hasValue(0);
    assertThat(lanes.keys() + lanes.leased() + lanes.waiting()).isZero();
  }
}
