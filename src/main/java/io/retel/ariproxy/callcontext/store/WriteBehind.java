// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asynchronous write-behind: callers enqueue changes, one thread writes them to the store in
 * batches.
 *
 * <p>Failed writes are retried indefinitely, except for a change that the store can never accept:
 * it is dropped, so that it does not block others. Only the latest change of each key is written,
 * so during an outage pending changes are bounded by the number of resources created or ended
 * during that time. Thread-safe.
 */
public final class WriteBehind extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

  private static final Duration INITIAL_RETRY_DELAY = Duration.ofMillis(100);
  private static final Duration MAX_RETRY_DELAY = Duration.ofSeconds(5);

  /** How long a command waits while the store is failing; a retry can succeed within that time. */
  private static final Duration DEGRADED_TIMEOUT = Duration.ofMillis(300);

  /** A peer that causes rejections does not fill the log. */
  private static final Duration REJECTION_LOG_INTERVAL = Duration.ofMinutes(1);

  /** Large enough to be efficient, small enough to acknowledge within the timeout. */
  private static final int MAX_BATCH = 5_000;

  /** Heap of a batch, whose values the store encodes; one of typical changes has half of it. */
  private static final long MAX_BATCH_BYTES = 4 << 20;

  private final CallContextStore store;
  private final Duration timeout;
  private final Counter readErrors;
  private final Counter writeErrors;
  private final Counter rejected;
  private final Timer writeDuration;

  /** Held during each read and write, since a store must be used by one thread at a time. */
  private final ReentrantLock storeInUse = new ReentrantLock();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition writeEnqueued = lock.newCondition();
  private final Condition writesAcknowledged = lock.newCondition();

  /** Pending writes by key, ordered by when their keys became pending. */
  private final Map<String, PendingWrite> pending = new LinkedHashMap<>();

  /** Those of a batch that failed, which precede {@link #pending}; no key is in both. */
  private Map<String, PendingWrite> failed = new LinkedHashMap<>();

  /** Heap of all these writes and of the current batch. */
  private final AtomicLong pendingBytes = new AtomicLong();

  private long batchBytes;
  private long enqueuedCount;
  private long acknowledgedCount;
  private boolean stopping;
  private volatile @Nullable Thread writer;

  /** When a rejection was last logged; used by the writer thread only. */
  private @Nullable Moment rejectionLogged;

  private volatile String lastError = "";
  private volatile boolean failing;

  /** When the current write began; null between writes. */
  private volatile @Nullable Moment writing;

  private volatile Barrier barrier = () -> {};

  /** Number of changes in the current batch. */
  private volatile int inFlight;

  /** Whether the current batch waits for the barrier. */
  private volatile boolean awaitingBarrier;

  /** Condition to wait for before a batch is written. */
  @FunctionalInterface
  public interface Barrier {
    void await() throws InterruptedException;
  }

  /**
   * A change not written yet.
   *
   * @param value returns the value to write, or empty to delete
   * @param length of the key and the value that it retains, in characters
   * @param sequence the number of the change that made the key pending
   */
  private record PendingWrite(Supplier<Optional<String>> value, int length, long sequence) {

    /** Heap in bytes; beyond the usual length, characters outside Latin-1 are supposed. */
    long size() {
      return 128 + length + Math.max(0, length - 256);
    }
  }

  /**
   * @param timeout for a single acknowledgement, and for all of them on stop
   */
  public WriteBehind(CallContextStore store, Duration timeout, MeterRegistry meters) {
    this.store = store;
    this.timeout = timeout;
    this.readErrors = Meters.STORE_READ_ERRORS.counter(meters);
    this.writeErrors = Meters.STORE_WRITE_ERRORS.counter(meters);
    this.rejected = Meters.STORE_REJECTED.counter(meters);
    this.writeDuration = Meters.STORE_WRITE_DURATION.timer(meters);
  }

  /** Creates an instance that persists nothing. */
  public static WriteBehind noop(MeterRegistry meters) {
    return new WriteBehind(new MemoryStore(), Duration.ZERO, meters);
  }

  /**
   * Sets the barrier that each batch waits for before it is written.
   *
   * @param barrier awaited after all changes of the batch have been enqueued
   */
  public void setBarrier(Barrier barrier) {
    this.barrier = barrier;
  }

  /**
   * Reads all entries.
   *
   * @throws StoreUnavailableException if the store fails; the failure is counted, and the call can
   *     be repeated
   */
  public void readAll(BiConsumer<String, @Nullable String> sink)
      throws InterruptedException, StoreUnavailableException {
    storeInUse.lockInterruptibly();
    try {
      store.readAll(sink);
      lastError = "";
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      readErrors.increment();
      lastError = "cannot be read: " + ErrorMessages.singleLine(e);
      throw new StoreUnavailableException(
          "the call-context store ("
              + storeType()
              + ") "
              + lastError
              + "; check it and the settings callcontext.*");
    } finally {
      storeInUse.unlock();
    }
  }

  /** Enqueues a change; an empty value deletes the key. Never blocks. */
  public void enqueue(String key, Optional<String> value) {
    enqueue(key, () -> value, value.map(String::length).orElse(0));
  }

  /**
   * Enqueues a change of a large value, which is determined once for all changes until it is
   * written. Never blocks.
   *
   * @param value returns the current value, or empty to delete the key; called by the writer thread
   */
  public void enqueue(String key, Supplier<Optional<String>> value) {
    enqueue(key, value, 0);
  }

  private void enqueue(String key, Supplier<Optional<String>> value, int length) {
    if (store instanceof MemoryStore) {
      return;
    }
    lock.lock();
    try {
      enqueuedCount++;
      Map<String, PendingWrite> writes = failed.containsKey(key) ? failed : pending;
      PendingWrite previous = writes.get(key);
      // retains its position: the newer value also satisfies callers that wait for the older one
      PendingWrite write =
          new PendingWrite(
              value, key.length() + length, previous == null ? enqueuedCount : previous.sequence());
      writes.put(key, write);
      pendingBytes.addAndGet(write.size() - (previous == null ? 0 : previous.size()));
      writeEnqueued.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the store has acknowledged all changes enqueued so far.
   *
   * @throws StoreUnavailableException on timeout
   */
  public void awaitAcknowledged() throws InterruptedException, StoreUnavailableException {
    // fail fast while the store is failing, so that other calls are not delayed
    Duration maxWait =
        isFailing() && DEGRADED_TIMEOUT.compareTo(timeout) < 0 ? DEGRADED_TIMEOUT : timeout;
    if (!awaitAcknowledged(maxWait)) {
      throw new StoreUnavailableException(
          "the call-context store did not acknowledge the mapping within "
              + maxWait.toMillis()
              + " ms; it "
              + delayReason());
    }
  }

  private boolean awaitAcknowledged(Duration maxWait) throws InterruptedException {
    long remaining = maxWait.toNanos();
    lock.lockInterruptibly();
    try {
      long target = enqueuedCount;
      while (acknowledgedCount < target) {
        if (remaining <= 0) {
          return false;
        }
        remaining = writesAcknowledged.awaitNanos(remaining);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Name of the store, such as Redis. */
  private String storeType() {
    return store.getClass().getSimpleName().replace("Store", "");
  }

  private String delayReason() {
    return awaitingBarrier
        ? "waits until Kafka has acknowledged the events before it, which Kafka or a step of a route"
            + " delays (health checks kafka and route-steps)"
        : lastError().orElse("is too slow");
  }

  /** Current error of the store, to be appended to its name; empty if none. */
  public Optional<String> lastError() {
    return Optional.of(lastError)
        .filter(error -> !error.isEmpty())
        .or(
            () ->
                hanging()
                    .map(age -> "has not answered a write for " + age.toSeconds() + " seconds"));
  }

  /** Whether the last write failed, or hangs. */
  public boolean isFailing() {
    return failing || hanging().isPresent();
  }

  /**
   * Age of the current write if the store should have failed it by now: the timeouts of JDBC
   * drivers apply to single reads, and a disk has none.
   */
  private Optional<Duration> hanging() {
    Moment since = writing;
    return Optional.ofNullable(since)
        .map(begin -> Moment.now().since(begin))
        .filter(age -> age.compareTo(timeout.multipliedBy(2)) >= 0);
  }

  /** Returns the name of the writing thread if it has ended; meaningful until the stop. */
  public Optional<String> endedThread() {
    return Optional.ofNullable(writer).filter(thread -> !thread.isAlive()).map(Thread::getName);
  }

  /** Number of changes not written yet. */
  public int pending() {
    lock.lock();
    try {
      return failed.size() + pending.size() + inFlight;
    } finally {
      lock.unlock();
    }
  }

  /** Heap of the changes not written yet, in bytes. */
  public long pendingBytes() {
    return pendingBytes.get();
  }

  @Override
  protected void doStart() {
    Thread thread = new Thread(this::write, "call-context-store");
    thread.setDaemon(true);
    writer = thread;
    thread.start();
  }

  /** Flushes pending writes within the timeout, then closes the store. */
  @Override
  protected void doStop() throws Exception {
    Thread thread = writer;
    if (thread == null) {
      return;
    }
    boolean persisted = awaitAcknowledged(timeout);
    lock.lock();
    try {
      stopping = true;
      writeEnqueued.signal();
    } finally {
      lock.unlock();
    }
    if (!persisted) {
      writeErrors.increment();
      LOG.error(
          "Pending call-context writes lost on shutdown: {}; the store {}",
          pending(),
          delayReason());
    }
    thread.interrupt();
    thread.join(timeout.toMillis() + 1);
    closeStore();
  }

  /** Closes the store within the timeout: a write that hangs can hold a lock of its driver. */
  private void closeStore() throws Exception {
    FutureTask<Void> close =
        new FutureTask<>(
            () -> {
              store.close();
              return null;
            });
    Thread thread = new Thread(close, "call-context-store-close");
    thread.setDaemon(true);
    thread.start();
    try {
      close.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.warn("The call-context store ({}) does not close; ending without it", storeType());
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception failure ? failure : e;
    }
  }

  // ---- writer thread

  /** Writes changes without those that the store can never accept. */
  private void writeAccepted(List<Change> changes, Map<String, PendingWrite> batch)
      throws Exception {
    try {
      writeToStore(changes);
    } catch (RecordRejectedException e) {
      if (changes.size() > 1) {
        int middle = changes.size() / 2;
        writeAccepted(changes.subList(0, middle), batch);
        writeAccepted(changes.subList(middle, changes.size()), batch);
      } else {
        onRejected(changes.get(0), batch, e);
      }
    }
  }

  private void onRejected(
      Change change, Map<String, PendingWrite> batch, RecordRejectedException cause)
      throws Exception {
    if (change.value() == null) {
      // a key that the store cannot contain
      return;
    }
    rejected.increment();
    Moment now = Moment.now();
    Moment last = rejectionLogged;
    if (last == null || now.since(last).compareTo(REJECTION_LOG_INTERVAL) >= 0) {
      rejectionLogged = now;
      LOG.warn(
          "The call-context store ({}) rejects the mapping of {}: {}; a restart loses it",
          storeType(),
          LogText.abbreviate(change.key()),
          cause.getMessage());
    }
    // otherwise a restart would restore its previous value
    batch.computeIfPresent(
        change.key(),
        (key, write) -> new PendingWrite(Optional::empty, key.length(), write.sequence()));
    writeAccepted(List.of(new Change(change.key(), null)), batch);
  }

  private void writeToStore(List<Change> changes) throws Exception {
    storeInUse.lockInterruptibly();
    try {
      writing = Moment.now();
      store.write(changes);
    } finally {
      writing = null;
      storeInUse.unlock();
    }
  }

  private void write() {
    Duration retryDelay = INITIAL_RETRY_DELAY;
    try {
      while (true) {
        Map<String, PendingWrite> batch = awaitBatch();
        if (batch.isEmpty()) {
          return;
        }
        try {
          awaitingBarrier = true;
          barrier.await();
          awaitingBarrier = false;
          long startNanos = System.nanoTime();
          writeAccepted(changes(batch), batch);
          writeDuration.record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
          onWritten();
          retryDelay = INITIAL_RETRY_DELAY;
        } catch (InterruptedException e) {
          throw e;
        } catch (Throwable e) {
          // includes errors thrown by a driver: without this thread nothing would be persisted
          FatalErrors.exitIfOutOfMemory(e);
          onFailed(batch, e);
          TimeUnit.NANOSECONDS.sleep(INITIAL_RETRY_DELAY.toNanos());
          awaitEnqueue(retryDelay);
          Duration doubled = retryDelay.multipliedBy(2);
          retryDelay = doubled.compareTo(MAX_RETRY_DELAY) < 0 ? doubled : MAX_RETRY_DELAY;
        }
      }
    } catch (InterruptedException e) {
      // stopped
    }
  }

  /** Waits for pending writes; returns an empty batch on stop. */
  private Map<String, PendingWrite> awaitBatch() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (failed.isEmpty() && pending.isEmpty() && !stopping) {
        writeEnqueued.await();
      }
      Map<String, PendingWrite> batch = new LinkedHashMap<>();
      batchBytes = 0;
      moveOldest(failed, batch);
      moveOldest(pending, batch);
      inFlight = batch.size();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Moves writes to the current batch, as far as its limits allow. */
  private void moveOldest(Map<String, PendingWrite> writes, Map<String, PendingWrite> batch) {
    Iterator<Map.Entry<String, PendingWrite>> oldest = writes.entrySet().iterator();
    while (oldest.hasNext() && batch.size() < MAX_BATCH && batchBytes < MAX_BATCH_BYTES) {
      Map.Entry<String, PendingWrite> entry = oldest.next();
      batch.put(entry.getKey(), entry.getValue());
      batchBytes += entry.getValue().size();
      oldest.remove();
    }
  }

  /** Waits for the next change or the timeout, since a caller can be waiting for that change. */
  private void awaitEnqueue(Duration maxWait) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (!stopping) {
        writeEnqueued.awaitNanos(maxWait.toNanos());
      }
    } finally {
      lock.unlock();
    }
  }

  private static List<Change> changes(Map<String, PendingWrite> batch) {
    List<Change> changes = new ArrayList<>(batch.size());
    batch.forEach((key, change) -> changes.add(new Change(key, change.value().get().orElse(null))));
    return changes;
  }

  private void onWritten() {
    failing = false;
    if (!lastError.isEmpty()) {
      lastError = "";
      LOG.info("Call-context store is writable again");
    }
    lock.lock();
    try {
      inFlight = 0;
      pendingBytes.addAndGet(-batchBytes);
      // all before the first pending one, since earlier values of a key are superseded
      Map<String, PendingWrite> next = failed.isEmpty() ? pending : failed;
      acknowledgedCount =
          next.isEmpty() ? enqueuedCount : next.values().iterator().next().sequence() - 1;
      writesAcknowledged.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void onFailed(Map<String, PendingWrite> batch, Throwable cause) {
    writeErrors.increment();
    if (lastError.isEmpty()) {
      LOG.warn(
          "The call-context store ({}) cannot be written: {}; retrying. Calls continue; commands"
              + " that create resources get a RESPONSE with status 503",
          storeType(),
          ErrorMessages.singleLine(cause));
    }
    lastError = "cannot be written: " + ErrorMessages.singleLine(cause);
    failing = true;
    lock.lock();
    try {
      inFlight = 0;
      writesAcknowledged.signalAll();
      batch.replaceAll(this::merged);
      pendingBytes.addAndGet(bytes(batch) - batchBytes);
      batch.putAll(failed);
      failed = batch;
    } finally {
      lock.unlock();
    }
  }

  /** Returns a write that failed, with the value that has become pending since, if any. */
  private PendingWrite merged(String key, PendingWrite write) {
    PendingWrite newer = pending.remove(key);
    if (newer == null) {
      return write;
    }
    pendingBytes.addAndGet(-newer.size());
    return new PendingWrite(newer.value(), newer.length(), write.sequence());
  }

  private static long bytes(Map<String, PendingWrite> writes) {
    return writes.values().stream().mapToLong(PendingWrite::size).sum();
  }
}
