// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A keyed queue that leases at most one item per key.
 *
 * <p>Items of one key form a <em>lane</em>, in FIFO order; the next item is ready once the lease of
 * the previous one has ended. Lanes are served in the order in which they became ready, so no key
 * starves another. Thread-safe. Unbounded: producers limit memory, and report that it is full.
 *
 * <p>If the queue is full, an item that has waited for the group timeout behind one that hung is
 * leased as {@link Lease#followsHanging rejected}, so that a lane that hangs does not fill the
 * queue.
 *
 * <p>Items can belong to a <em>group</em>, whose items tend to hang together. From its second
 * consumer on, a group gets at most twice as many as it leaves free: one hanging group takes two
 * thirds of them, two take two fifths each, and some remain for others. An item that has waited for
 * its hanging group for the group timeout is leased as {@link Lease#overdue overdue}, so that its
 * lane continues.
 *
 * @param <T> the item type
 */
final class Lanes<T> {

  private final AtomicReference<@Nullable Object> consumer = new AtomicReference<>();

  /** How often a thread checks whether a lane that waits for its group is overdue. */
  private static final long OVERDUE_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  /** How many times as many consumers a group can have as it leaves free. */
  private static final int SHARE = 2;

  /** The group of items without one, which is not limited. */
  private static final String NO_GROUP = "";

  private final LongSupplier nanoTime;
  private final Results<T> results;
  private final BooleanSupplier full;
  private final ReentrantLock lock = new ReentrantLock();

  /** Threads that wait for a lane. The last one is next: the first ones end if too many wait. */
  private final Deque<Condition> waiting = new ArrayDeque<>();

  private final Map<String, Lane<T>> lanes = new HashMap<>();

  /** By name; never removed, so names must be few. */
  private final Map<String, Group<T>> groups = new HashMap<>();

  private int consumers = Integer.MAX_VALUE;
  private long groupTimeoutNanos = Long.MAX_VALUE;
  private long firstTurn;
  private long nextTurn;
  private int queued;
  private int leased;
  private int inProcess;

  /** Number of ready lanes. */
  private int ready;

  /** A leased item. It blocks its lane until {@link #complete} or {@link #requeue}. */
  static final class Lease<T> {

    private final String key;
    private final Queued<T> queued;
    private final long startNanos;
    private final boolean followsHanging;
    private final @Nullable GroupActivity overdue;

    /** Null until its processing ends. */
    private @Nullable Boolean hung;

    private boolean ended;

    private Lease(
        String key,
        Queued<T> queued,
        long startNanos,
        boolean followsHanging,
        @Nullable GroupActivity overdue) {
      this.key = key;
      this.queued = queued;
      this.startNanos = startNanos;
      this.followsHanging = followsHanging;
      this.overdue = overdue;
    }

    String key() {
      return key;
    }

    T item() {
      return queued.item();
    }

    /** Whether the queue is full, and the item has waited too long behind a hanging one. */
    boolean followsHanging() {
      return followsHanging;
    }

    private boolean isRejected() {
      return followsHanging || overdue != null;
    }

    /** Its hanging group, if the item has waited for that for too long; otherwise null. */
    @Nullable GroupActivity overdue() {
      return overdue;
    }
  }

  /** The states of an item's result. */
  interface Results<T> {

    /** Whether it has its result, and no longer hangs. */
    boolean has(T item);

    /** Whether its processing has ended without a result. */
    boolean isMissing(T item);
  }

  private record Queued<T>(String group, T item, long sinceNanos) {}

  private static final class Lane<T> {
    private final Deque<Queued<T>> items = new ArrayDeque<>(2);

    /** Whether the last item that was not rejected hung, until its processing ended. */
    private boolean hung;
  }

  /**
   * A lane whose next item can be leased.
   *
   * @param turn its position among all ready lanes
   */
  private record ReadyLane(String key, long turn, long sinceNanos) {}

  /** The ready lanes and the leases in process of a group, each in order. */
  private static final class Group<T> {
    private final String name;
    private final Deque<ReadyLane> ready = new ArrayDeque<>(2);
    private final Set<Lease<T>> inProcess = new LinkedHashSet<>(4);

    private Group(String name) {
      this.name = name;
    }
  }

  /**
   * @param full whether producers have reached a limit; thread-safe, does not block
   */
  Lanes(Results<T> results, BooleanSupplier full) {
    this(System::nanoTime, results, full);
  }

  /**
   * @param nanoTime a monotonic clock
   * @param full whether producers have reached a limit; thread-safe, does not block
   */
  Lanes(LongSupplier nanoTime, Results<T> results, BooleanSupplier full) {
    this.nanoTime = nanoTime;
    this.results = results;
    this.full = full;
  }

  /**
   * Registers the only consumer of this queue.
   *
   * @throws IllegalStateException if another one is registered: it would take messages away
   */
  void register(Object newConsumer) {
    if (!consumer.compareAndSet(null, newConsumer) && consumer.get() != newConsumer) {
      throw new IllegalStateException("Another route already consumes from these lanes");
    }
  }

  void unregister(Object oldConsumer) {
    consumer.compareAndSet(oldConsumer, null);
  }

  /**
   * Sets what limits groups; without limits before.
   *
   * @param consumers maximum number of threads that process items
   * @param groupTimeoutMs how long an item waits for its hanging group, and behind a hanging item
   *     while the queue is full, in milliseconds
   */
  void limitGroups(int consumers, long groupTimeoutMs) {
    lock.lock();
    try {
      this.consumers = consumers;
      this.groupTimeoutNanos = TimeUnit.MILLISECONDS.toNanos(groupTimeoutMs);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Appends an item to the lane of its key.
   *
   * @param group the item's group, or null for none
   */
  void put(String key, @Nullable String group, T item) {
    lock.lock();
    try {
      Queued<T> last = new Queued<>(group == null ? NO_GROUP : group, item, nanoTime.getAsLong());
      Lane<T> lane = lanes.get(key);
      if (lane == null) {
        lane = new Lane<>();
        lanes.put(key, lane);
        lane.items.addLast(last);
        addReady(key, last);
      } else {
        lane.items.addLast(last);
      }
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
      boolean isFull = full.getAsBoolean();
      Group<T> group = nextGroup(isFull);
      while (group == null) {
        if (remainingNanos <= 0) {
          return null;
        }
        remainingNanos = await(remainingNanos);
        isFull = full.getAsBoolean();
        group = nextGroup(isFull);
      }
      String key = group.ready.removeFirst().key();
      ready--;
      Lane<T> lane = lane(key);
      long now = nanoTime.getAsLong();
      boolean followsHanging = isFull && followsHanging(lane);
      boolean overdue = !followsHanging && !canStart(group);
      Lease<T> lease =
          new Lease<>(
              key,
              lane.items.removeFirst(),
              now,
              followsHanging,
              overdue ? activity(group, now) : null);
      if (!lease.isRejected()) {
        group.inProcess.add(lease);
        inProcess++;
      }
      queued--;
      leased++;
      return lease;
    } finally {
      // also if it leaves without a lease: it can have been signaled
      signalIfReady();
      lock.unlock();
    }
  }

  /** Returns the group of the lane that has waited longest of those that can be leased, or null. */
  private @Nullable Group<T> nextGroup(boolean isFull) {
    Group<T> next = null;
    long earliest = Long.MAX_VALUE;
    for (Group<T> group : groups.values()) {
      ReadyLane lane = group.ready.peekFirst();
      if (lane != null
          && lane.turn() < earliest
          && (canStart(group)
              || isOverdue(group, lane)
              || (isFull && followsHanging(lane(lane.key()))))) {
        next = group;
        earliest = lane.turn();
      }
    }
    return next;
  }

  private boolean canStart(Group<T> group) {
    // the consumer that asks is free, even while others of a replaced route still process items
    long free = Math.max(1, consumers - (long) inProcess);
    int current = group.inProcess.size();
    return current == 0 || group.name.equals(NO_GROUP) || current + 1 <= SHARE * (free - 1);
  }

  private boolean followsHanging(Lane<T> lane) {
    return lane.hung
        && nanoTime.getAsLong() - Objects.requireNonNull(lane.items.peekFirst()).sinceNanos()
            >= groupTimeoutNanos;
  }

  private boolean isOverdue(Group<T> group, ReadyLane lane) {
    long now = nanoTime.getAsLong();
    return now - lane.sinceNanos() >= groupTimeoutNanos
        && activity(group, now).hanging() * 2 >= group.inProcess.size();
  }

  /**
   * Ends the processing of an item by its consumer; its lane stays leased until {@link #complete}.
   */
  void processed(Lease<T> lease) {
    lock.lock();
    try {
      recordHang(lease);
      Group<T> group = groups.get(lease.queued.group());
      if (group != null && group.inProcess.remove(lease)) {
        inProcess--;
        signalIfReady();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Records whether an item hung, once: later, it can wait for something else. */
  private void recordHang(Lease<T> lease) {
    if (lease.hung == null) {
      lease.hung =
          results.isMissing(lease.item())
              && nanoTime.getAsLong() - lease.startNanos >= hangingNanos();
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
      recordHang(lease);
      Lane<T> lane = lane(lease.key());
      if (!lease.isRejected()) {
        lane.hung = Boolean.TRUE.equals(lease.hung);
      }
      Queued<T> next = lane.items.peekFirst();
      if (next == null) {
        lanes.remove(lease.key());
      } else {
        addReady(lease.key(), next);
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
      lane(lease.key()).items.addFirst(lease.queued);
      processed(lease);
      group(lease.queued)
          .ready
          .addFirst(new ReadyLane(lease.key(), --firstTurn, nanoTime.getAsLong()));
      ready++;
      signalIfReady();
    } finally {
      lock.unlock();
    }
  }

  private void addReady(String key, Queued<T> next) {
    group(next).ready.addLast(new ReadyLane(key, nextTurn++, nanoTime.getAsLong()));
    ready++;
    signalIfReady();
  }

  /** Wakes one of the threads that wait, if a lane is ready, even if that cannot start. */
  private void signalIfReady() {
    Condition last = ready > 0 ? waiting.pollLast() : null;
    if (last != null) {
      last.signal();
    }
  }

  /**
   * Waits for a ready lane, or for one to become overdue.
   *
   * @return the rest of the time
   */
  private long await(long nanos) throws InterruptedException {
    long wait = ready > 0 ? Math.min(nanos, OVERDUE_CHECK_NANOS) : nanos;
    Condition signaled = lock.newCondition();
    waiting.addLast(signaled);
    try {
      return nanos - wait + signaled.awaitNanos(wait);
    } finally {
      waiting.remove(signaled);
    }
  }

  private Group<T> group(Queued<T> queued) {
    return groups.computeIfAbsent(queued.group(), Group::new);
  }

  /** Returns the lane of a key with queued or leased items. */
  private Lane<T> lane(String key) {
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

  /** Number of threads that wait for a lane. */
  int waiting() {
    lock.lock();
    try {
      return waiting.size();
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

  /** Returns the groups with hanging items. */
  List<GroupActivity> hanging() {
    lock.lock();
    try {
      long now = nanoTime.getAsLong();
      List<GroupActivity> hanging = new ArrayList<>();
      for (Group<T> group : groups.values()) {
        GroupActivity activity = activity(group, now);
        if (activity.hanging() > 0) {
          hanging.add(activity);
        }
      }
      return hanging;
    } finally {
      lock.unlock();
    }
  }

  /** Whether items wait although all consumers have hanging ones. */
  boolean isBlocked() {
    lock.lock();
    try {
      long now = nanoTime.getAsLong();
      return inProcess >= consumers
          && groups.values().stream().anyMatch(group -> !group.ready.isEmpty())
          && groups.values().stream().mapToInt(group -> activity(group, now).hanging()).sum()
              == inProcess;
    } finally {
      lock.unlock();
    }
  }

  /** Time after which an item without a result hangs. */
  private long hangingNanos() {
    return groupTimeoutNanos / 10;
  }

  private GroupActivity activity(Group<T> group, long now) {
    int hanging = 0;
    long oldest = 0;
    for (Lease<T> lease : group.inProcess) {
      if (!results.has(lease.item())) {
        long age = now - lease.startNanos;
        oldest = Math.max(oldest, age);
        if (age < hangingNanos()) {
          break;
        }
        hanging++;
      }
    }
    return new GroupActivity(group.name, hanging, Duration.ofNanos(oldest), group.ready.size());
  }
}
