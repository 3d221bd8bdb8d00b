package io.retel.ariproxy.callcontext.store;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.ErrorMessages;
import io.retel.ariproxy.callcontext.store.CallContextStore.Change;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to a store behind the back of those who change call contexts: a change is noted and
 * returned from at once, one thread takes whatever has gathered and writes it as a batch, for ever
 * if it must.
 *
 * <p>Of several changes of one key only the latest is written, so that what waits while the store
 * is away is bounded by the number of resources that come and go meanwhile. Safe for use by many
 * threads.
 */
public final class WriteBehind extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

  private static final Duration INITIAL_RETRY_DELAY = Duration.ofMillis(100);
  private static final Duration MAX_RETRY_DELAY = Duration.ofSeconds(5);

  /** How long a command waits for a store that has failed lately; a retry may just succeed. */
  private static final Duration DEGRADED_TIMEOUT = Duration.ofMillis(300);

  /** Large enough to be efficient, small enough that who waits for an acknowledgement gets it. */
  private static final int MAX_BATCH = 5_000;

  private final CallContextStore store;
  private final Duration timeout;
  private final Counter readErrors;
  private final Counter writeErrors;
  private final Timer writeDuration;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition writeEnqueued = lock.newCondition();
  private final Condition writesAcknowledged = lock.newCondition();

  /** What waits to be written, by key, in the order in which the keys began to wait. */
  private Map<String, PendingWrite> pending = new LinkedHashMap<>();

  private long enqueuedCount;
  private long acknowledgedCount;
  private boolean stopping;
  private Thread writer;

  private volatile String lastError = "";
  private volatile boolean failing;
  private volatile Barrier barrier = () -> {};

  /** How many changes the writer has in its hands. */
  private volatile int inFlight;

  /** Whether those wait behind the barrier. */
  private volatile boolean awaitingBarrier;

  /** What has to be waited for. */
  @FunctionalInterface
  public interface Barrier {
    void await() throws InterruptedException;
  }

  /**
   * A change that waits.
   *
   * @param value the text, or null for none
   * @param number the number of the note since which its key waits
   */
  private record PendingWrite(String value, long sequence) {}

  /**
   * @param patience how long to wait for an acknowledgement, and at the end for all of them
   */
  public WriteBehind(CallContextStore store, Duration timeout, MeterRegistry meters) {
    this.store = store;
    this.timeout = timeout;
    this.readErrors = Meters.STORE_READ_ERRORS.counter(meters);
    this.writeErrors = Meters.STORE_WRITE_ERRORS.counter(meters);
    this.writeDuration = Meters.STORE_WRITE_DURATION.timer(meters);
  }

  /** One that keeps nothing. */
  public static WriteBehind noop(MeterRegistry meters) {
    return new WriteBehind(new MemoryStore(), Duration.ZERO, meters);
  }

  /**
   * Lets each batch wait until what had to happen before it has happened.
   *
   * @param barrier asked after all that is in the batch has been noted
   */
  public void setBarrier(Barrier barrier) {
    this.barrier = barrier;
  }

  /**
   * Reads all that is kept.
   *
   * @throws StoreUnavailableException if the store fails; it is counted, and may be tried again
   */
  public void readAll(BiConsumer<String, String> sink)
      throws InterruptedException, StoreUnavailableException {
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
              + "; check it, and callcontext.*");
    }
  }

  /** Notes that a text shall be kept under a key, or nothing any more. Never waits. */
  public void enqueue(String key, Optional<String> value) {
    if (store instanceof MemoryStore) {
      return;
    }
    lock.lock();
    try {
      enqueuedCount++;
      PendingWrite previous = pending.get(key);
      // it keeps its place: who waits for the former value is content with the newer one
      pending.put(
          key,
          new PendingWrite(
              value.orElse(null), previous == null ? enqueuedCount : previous.sequence()));
      writeEnqueued.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all that has been noted so far is acknowledged.
   *
   * @throws StoreUnavailableException if that takes too long
   */
  public void awaitAcknowledged() throws InterruptedException, StoreUnavailableException {
    // who waits for long for a store that is known to fail keeps others waiting
    Duration maxWait =
        failing && DEGRADED_TIMEOUT.compareTo(timeout) < 0 ? DEGRADED_TIMEOUT : timeout;
    if (!awaitAcknowledged(maxWait)) {
      throw new StoreUnavailableException(
          "the call-context store has not acknowledged it within "
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

  /** Redis, for example. */
  private String storeType() {
    return store.getClass().getSimpleName().replace("Store", "");
  }

  private String delayReason() {
    return awaitingBarrier
        ? "may not keep what Kafka has not acknowledged to be told"
        : lastError().orElse("is too slow");
  }

  /** What is wrong with the store now, to be read after its name. */
  public Optional<String> lastError() {
    return Optional.of(lastError).filter(error -> !error.isEmpty());
  }

  /** Whether nothing could be written the last time. */
  public boolean isFailing() {
    return failing;
  }

  /** How many changes wait to be written. */
  public int pending() {
    lock.lock();
    try {
      return pending.size() + inFlight;
    } finally {
      lock.unlock();
    }
  }

  @Override
  protected void doStart() {
    writer = new Thread(this::write, "call-context-store");
    writer.setDaemon(true);
    writer.start();
  }

  /** Writes what waits, for as long as its patience lasts. */
  @Override
  protected void doStop() throws Exception {
    if (writer == null) {
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
          "{} call contexts were not kept, and are not known to the next proxy: the store {}",
          pending(),
          delayReason());
    }
    writer.interrupt();
    writer.join(timeout.toMillis() + 1);
    store.close();
  }

  // ---- the writer's thread

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
          store.write(changes(batch));
          writeDuration.record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
          onWritten();
          retryDelay = INITIAL_RETRY_DELAY;
        } catch (InterruptedException e) {
          throw e;
        } catch (Exception | LinkageError | AssertionError | OutOfMemoryError e) {
          // also what a driver throws that should not: without this thread nothing would be kept
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

  /** Waits until there is something to write; empty at the end. */
  private Map<String, PendingWrite> awaitBatch() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (pending.isEmpty() && !stopping) {
        writeEnqueued.await();
      }
      Map<String, PendingWrite> batch = new LinkedHashMap<>();
      Iterator<Map.Entry<String, PendingWrite>> oldest = pending.entrySet().iterator();
      while (oldest.hasNext() && batch.size() < MAX_BATCH) {
        Map.Entry<String, PendingWrite> entry = oldest.next();
        batch.put(entry.getKey(), entry.getValue());
        oldest.remove();
      }
      inFlight = batch.size();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Waits, but no longer than until something new is noted: somebody may wait for that. */
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
    batch.forEach((key, change) -> changes.add(new Change(key, change.value())));
    return changes;
  }

  private void onWritten() {
    failing = false;
    if (!lastError.isEmpty()) {
      lastError = "";
      LOG.info("The call-context store keeps call contexts again");
    }
    lock.lock();
    try {
      inFlight = 0;
      // all up to the first that waits, since what took an earlier note's place was written with it
      acknowledgedCount =
          pending.isEmpty() ? enqueuedCount : pending.values().iterator().next().sequence() - 1;
      writesAcknowledged.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void onFailed(Map<String, PendingWrite> batch, Throwable cause) {
    writeErrors.increment();
    if (lastError.isEmpty()) {
      LOG.warn(
          "The call-context store ({}) cannot be written: {}; calls go on, commands that create something are answered 503,"
              + " and it is tried again for ever",
          storeType(),
          ErrorMessages.singleLine(cause));
    }
    lastError = "cannot be written: " + ErrorMessages.singleLine(cause);
    failing = true;
    lock.lock();
    try {
      inFlight = 0;
      writesAcknowledged.signalAll();
      // back to its place, with what is newer
      Map<String, PendingWrite> requeued = new LinkedHashMap<>(batch);
      pending.forEach(
          (key, newer) ->
              requeued.merge(
                  key,
                  newer,
                  (failed, latest) -> new PendingWrite(latest.value(), failed.sequence())));
      pending = requeued;
    } finally {
      lock.unlock();
    }
  }
}
