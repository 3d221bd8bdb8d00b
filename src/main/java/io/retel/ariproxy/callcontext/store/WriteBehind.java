package io.retel.ariproxy.callcontext.store;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.RootCause;
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

  private static final Duration FIRST_RETRY = Duration.ofMillis(100);
  private static final Duration LAST_RETRY = Duration.ofSeconds(5);

  /** How long a command waits for a store that has failed lately; a retry may just succeed. */
  private static final Duration FAILING_PATIENCE = Duration.ofMillis(300);

  /** Large enough to be efficient, small enough that who waits for an acknowledgement gets it. */
  private static final int MAX_BATCH = 5_000;

  private final CallContextStore store;
  private final Duration patience;
  private final Counter readErrors;
  private final Counter writeErrors;
  private final Timer writeDuration;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition noted = lock.newCondition();
  private final Condition acknowledged = lock.newCondition();

  /** What waits to be written, by key, in the order in which the keys began to wait. */
  private Map<String, Noted> waiting = new LinkedHashMap<>();

  private long notedSoFar;
  private long acknowledgedSoFar;
  private boolean ending;
  private Thread writer;

  private volatile String trouble = "";
  private volatile boolean failing;
  private volatile Barrier barrier = () -> {};

  /** How many changes the writer has in its hands. */
  private volatile int inHand;

  /** Whether those wait behind the barrier. */
  private volatile boolean behindBarrier;

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
  private record Noted(String value, long number) {}

  /**
   * @param patience how long to wait for an acknowledgement, and at the end for all of them
   */
  public WriteBehind(CallContextStore store, Duration patience, MeterRegistry meters) {
    this.store = store;
    this.patience = patience;
    this.readErrors = Meters.STORE_READ_ERRORS.in(meters);
    this.writeErrors = Meters.STORE_WRITE_ERRORS.in(meters);
    this.writeDuration = Meters.STORE_WRITE_DURATION.timer(meters);
  }

  /** One that keeps nothing. */
  public static WriteBehind nowhere(MeterRegistry meters) {
    return new WriteBehind(new MemoryStore(), Duration.ZERO, meters);
  }

  /**
   * Lets each batch wait until what had to happen before it has happened.
   *
   * @param barrier asked after all that is in the batch has been noted
   */
  public void writeAfter(Barrier barrier) {
    this.barrier = barrier;
  }

  /**
   * Reads all that is kept.
   *
   * @throws StoreNotReachedException if the store fails; it is counted, and may be tried again
   */
  public void readAll(BiConsumer<String, String> kept)
      throws InterruptedException, StoreNotReachedException {
    try {
      store.readAll(kept);
      trouble = "";
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      readErrors.increment();
      trouble = "cannot be read: " + RootCause.inOneLine(e);
      throw new StoreNotReachedException(
          "the call-context store (" + kind() + ") " + trouble + "; check it, and callcontext.*");
    }
  }

  /** Notes that a text shall be kept under a key, or nothing any more. Never waits. */
  public void note(String key, Optional<String> value) {
    if (store instanceof MemoryStore) {
      return;
    }
    lock.lock();
    try {
      notedSoFar++;
      Noted before = waiting.get(key);
      // it keeps its place: who waits for the former value is content with the newer one
      waiting.put(
          key, new Noted(value.orElse(null), before == null ? notedSoFar : before.number()));
      noted.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all that has been noted so far is acknowledged.
   *
   * @throws StoreNotReachedException if that takes too long
   */
  public void awaitAcknowledged() throws InterruptedException, StoreNotReachedException {
    // who waits for long for a store that is known to fail keeps others waiting
    Duration atMost =
        failing && FAILING_PATIENCE.compareTo(patience) < 0 ? FAILING_PATIENCE : patience;
    if (!awaitAcknowledged(atMost)) {
      throw new StoreNotReachedException(
          "the call-context store has not acknowledged it within "
              + atMost.toMillis()
              + " ms; it "
              + whySlow());
    }
  }

  private boolean awaitAcknowledged(Duration atMost) throws InterruptedException {
    long left = atMost.toNanos();
    lock.lockInterruptibly();
    try {
      long awaited = notedSoFar;
      while (acknowledgedSoFar < awaited) {
        if (left <= 0) {
          return false;
        }
        left = acknowledged.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Redis, for example. */
  private String kind() {
    return store.getClass().getSimpleName().replace("Store", "");
  }

  private String whySlow() {
    return behindBarrier
        ? "may not keep what Kafka has not acknowledged to be told"
        : trouble().orElse("is too slow");
  }

  /** What is wrong with the store now, to be read after its name. */
  public Optional<String> trouble() {
    return Optional.of(trouble).filter(why -> !why.isEmpty());
  }

  /** Whether nothing could be written the last time. */
  public boolean isFailing() {
    return failing;
  }

  /** How many changes wait to be written. */
  public int waiting() {
    lock.lock();
    try {
      return waiting.size() + inHand;
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
    boolean kept = awaitAcknowledged(patience);
    lock.lock();
    try {
      ending = true;
      noted.signal();
    } finally {
      lock.unlock();
    }
    if (!kept) {
      writeErrors.increment();
      LOG.error(
          "{} call contexts were not kept, and are not known to the next proxy: the store {}",
          waiting(),
          whySlow());
    }
    writer.interrupt();
    writer.join(patience.toMillis() + 1);
    store.close();
  }

  // ---- the writer's thread

  private void write() {
    Duration retry = FIRST_RETRY;
    try {
      while (true) {
        Map<String, Noted> batch = awaitBatch();
        if (batch.isEmpty()) {
          return;
        }
        try {
          behindBarrier = true;
          barrier.await();
          behindBarrier = false;
          long began = System.nanoTime();
          store.write(changes(batch));
          writeDuration.record(System.nanoTime() - began, TimeUnit.NANOSECONDS);
          onWritten();
          retry = FIRST_RETRY;
        } catch (InterruptedException e) {
          throw e;
        } catch (Exception | LinkageError | AssertionError | OutOfMemoryError e) {
          // also what a driver throws that should not: without this thread nothing would be kept
          onFailed(batch, e);
          TimeUnit.NANOSECONDS.sleep(FIRST_RETRY.toNanos());
          awaitNote(retry);
          Duration longer = retry.multipliedBy(2);
          retry = longer.compareTo(LAST_RETRY) < 0 ? longer : LAST_RETRY;
        }
      }
    } catch (InterruptedException e) {
      // stopped
    }
  }

  /** Waits until there is something to write; empty at the end. */
  private Map<String, Noted> awaitBatch() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (waiting.isEmpty() && !ending) {
        noted.await();
      }
      Map<String, Noted> batch = new LinkedHashMap<>();
      Iterator<Map.Entry<String, Noted>> oldest = waiting.entrySet().iterator();
      while (oldest.hasNext() && batch.size() < MAX_BATCH) {
        Map.Entry<String, Noted> entry = oldest.next();
        batch.put(entry.getKey(), entry.getValue());
        oldest.remove();
      }
      inHand = batch.size();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** Waits, but no longer than until something new is noted: somebody may wait for that. */
  private void awaitNote(Duration atMost) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (!ending) {
        noted.awaitNanos(atMost.toNanos());
      }
    } finally {
      lock.unlock();
    }
  }

  private static List<Change> changes(Map<String, Noted> batch) {
    List<Change> changes = new ArrayList<>(batch.size());
    batch.forEach((key, change) -> changes.add(new Change(key, change.value())));
    return changes;
  }

  private void onWritten() {
    failing = false;
    if (!trouble.isEmpty()) {
      trouble = "";
      LOG.info("The call-context store keeps call contexts again");
    }
    lock.lock();
    try {
      inHand = 0;
      // all up to the first that waits, since what took an earlier note's place was written with it
      acknowledgedSoFar =
          waiting.isEmpty() ? notedSoFar : waiting.values().iterator().next().number() - 1;
      acknowledged.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void onFailed(Map<String, Noted> batch, Throwable cause) {
    writeErrors.increment();
    if (trouble.isEmpty()) {
      LOG.warn(
          "The call-context store ({}) cannot be written: {}; calls go on, commands that create something are answered 503,"
              + " and it is tried again for ever",
          kind(),
          RootCause.inOneLine(cause));
    }
    trouble = "cannot be written: " + RootCause.inOneLine(cause);
    failing = true;
    lock.lock();
    try {
      inHand = 0;
      acknowledged.signalAll();
      // back to its place, with what is newer
      Map<String, Noted> again = new LinkedHashMap<>(batch);
      waiting.forEach(
          (key, newer) ->
              again.merge(
                  key, newer, (failed, latest) -> new Noted(latest.value(), failed.number())));
      waiting = again;
    } finally {
      lock.unlock();
    }
  }
}
