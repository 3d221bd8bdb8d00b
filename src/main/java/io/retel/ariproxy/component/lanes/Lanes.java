// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A keyed queue that leases at most one item per key.
 *
 * <p>Items of one key form a <em>lane</em>, in FIFO order; the next item is ready once the lease of
 * the previous one has ended. Lanes are served in the order in which they became ready, so no key
 * starves another. Thread-safe. Unbounded: producers limit memory.
 *
 * @param <T> the item type
 */
final class Lanes<T> {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition laneReady = lock.newCondition();
  private final Map<String, Deque<T>> lanes = new HashMap<>();
  private final Deque<String> readyKeys = new ArrayDeque<>();
  private int queued;
  private int leased;

  /** A leased item. It blocks its lane until {@link #complete} or {@link #requeue}. */
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

  /** Appends an item to the lane of its key. */
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
   * Leases the next item of a ready lane.
   *
   * @param timeoutMs maximum wait in milliseconds
   * @return the lease, or null after the timeout
   */
  @Nullable Lease<T> lease(long timeoutMs) throws InterruptedException {
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
      T item = lane(key).removeFirst();
      queued--;
      leased++;
      return new Lease<>(key, item);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Ends a lease and makes the next item of its lane ready. Does nothing if the lease has ended.
   */
  void complete(Lease<T> lease) {
    lock.lock();
    try {
      if (lease.ended) {
        return;
      }
      lease.ended = true;
      leased--;
      if (lane(lease.key()).isEmpty()) {
        lanes.remove(lease.key());
      } else {
        readyKeys.addLast(lease.key());
        laneReady.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns an unprocessed item to the head of its lane, and the lane to the head of the queue.
   * Does nothing if the lease has ended.
   */
  void requeue(Lease<T> lease) {
    lock.lock();
    try {
      if (lease.ended) {
        return;
      }
      lease.ended = true;
      leased--;
      queued++;
      lane(lease.key()).addFirst(lease.item());
      readyKeys.addFirst(lease.key());
      laneReady.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Returns the lane of a key with queued or leased items. */
  private Deque<T> lane(String key) {
    return Objects.requireNonNull(lanes.get(key));
  }

  /** Number of keys with queued or leased items. */
  int keyCount() {
    lock.lock();
    try {
      return lanes.size();
    } finally {
      lock.unlock();
    }
  }

  /** Number of queued items, excluding leased ones. */
  int queued() {
    lock.lock();
    try {
      return queued;
    } finally {
      lock.unlock();
    }
  }

  /** Number of leased items. */
  int leased() {
    lock.lock();
    try {
      return leased;
    } finally {
      lock.unlock();
    }
  }
}
