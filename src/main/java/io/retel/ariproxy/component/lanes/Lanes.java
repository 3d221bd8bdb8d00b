package io.retel.ariproxy.component.lanes;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A queue that leases at most one item per key: the items of a key (its <em>lane</em>) come out in
 * the order in which they went in, the next one when the lease of the one before has ended.
 *
 * <p>Lanes whose head may be leased are served in turn, in the order in which they became ready, so
 * that no key starves another. Safe for use by many threads; memory is bounded by whoever puts
 * items in.
 *
 * @param <T> the items
 */
final class Lanes<T> {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition laneReady = lock.newCondition();
  private final Map<String, Deque<T>> lanes = new HashMap<>();
  private final Deque<String> readyKeys = new ArrayDeque<>();
  private int queued;
  private int leased;

  /** An item that is leased; its lane stands still until {@link #complete} or {@link #requeue}. */
  static final class Lease<T> {

    private final String key;
    private final T item;
    private boolean ended;

    private Lease(String key, T item) {
      this.key = key;
      this.item = item;
    }

    String key() {
      return key;
    }

    T item() {
      return item;
    }
  }

  /** Puts an item at the end of its key's lane. */
  void put(String key, T item) {
    lock.lock();
    try {
      Deque<T> lane = lanes.get(key);
      if (lane == null) {
        lane = new ArrayDeque<>(2);
        lanes.put(key, lane);
        readyKeys.addLast(key);
        laneReady.signal();
      }
      lane.addLast(item);
      queued++;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Leases the next item whose lane is free.
   *
   * @param timeout how long to wait for one, in milliseconds
   * @return the lease, or null if there was none in time
   */
  Lease<T> lease(long timeoutMs) throws InterruptedException {
    long remainingNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    lock.lockInterruptibly();
    try {
      while (readyKeys.isEmpty()) {
        if (remainingNanos <= 0) {
          return null;
        }
        remainingNanos = laneReady.awaitNanos(remainingNanos);
      }
      String key = readyKeys.removeFirst();
      T item = lanes.get(key).removeFirst();
      queued--;
      leased++;
      return new Lease<>(key, item);
    } finally {
      lock.unlock();
    }
  }

  /** Ends a lease, unless it has ended already: the lane's next item becomes ready. */
  void complete(Lease<T> lease) {
    lock.lock();
    try {
      if (lease.ended) {
        return;
      }
      lease.ended = true;
      leased--;
      if (lanes.get(lease.key()).isEmpty()) {
        lanes.remove(lease.key());
      } else {
        readyKeys.addLast(lease.key());
        laneReady.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Gives an item back that was not worked on: it is the next one of its lane, and of all. */
  void requeue(Lease<T> lease) {
    lock.lock();
    try {
      if (lease.ended) {
        return;
      }
      lease.ended = true;
      leased--;
      queued++;
      lanes.get(lease.key()).addFirst(lease.item());
      readyKeys.addFirst(lease.key());
      laneReady.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Keys of which an item waits or is leased. */
  int keyCount() {
    lock.lock();
    try {
      return lanes.size();
    } finally {
      lock.unlock();
    }
  }

  /** Items that wait, without those that are leased. */
  int queued() {
    lock.lock();
    try {
      return queued;
    } finally {
      lock.unlock();
    }
  }

  /** Items that are leased. */
  int leased() {
    lock.lock();
    try {
      return leased;
    } finally {
      lock.unlock();
    }
  }
}
