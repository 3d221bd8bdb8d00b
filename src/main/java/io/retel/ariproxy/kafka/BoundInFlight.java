package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.support.SynchronizationAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounds the heap of what is on its way to Kafka: a message takes its weight before it is sent and
 * gives it back when Kafka has acknowledged it. When all is taken the caller waits, and with it
 * whatever feeds it.
 *
 * <p>A message that is heavier than the bound goes alone. Safe for use by many threads.
 */
public final class BoundInFlight implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(BoundInFlight.class);

  /**
   * An exchange with its message, its record and its place in a batch (measured: stack.md, Kafka
   * away for 60 s).
   */
  private static final int WEIGHT_PER_MESSAGE = 4_096;

  /** The body, and its copy in the producer's buffer. */
  private static final int WEIGHT_PER_BYTE = 2;

  /** The exchange property with what its message has taken. */
  private static final String WEIGHT = "weightInFlight";

  /** How long Kafka may be silent while something waits for it before that is trouble. */
  static final Duration SILENCE = Duration.ofSeconds(5);

  private final long maxHeap;
  private final BooleanSupplier givesBack;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition givenBack = lock.newCondition();
  private long taken;
  private boolean told;

  /** Since when something waits and nothing has been acknowledged. */
  private long silentSince;

  /**
   * @param maxHeap the bound, in bytes of heap
   * @param givesBack whether the caller's thread is the one that gives back: it never waits, since
   *     it would wait for itself; it sends one message for one that is acknowledged
   */
  public BoundInFlight(long maxHeap, BooleanSupplier givesBack) {
    this(maxHeap, givesBack, System::nanoTime);
  }

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  BoundInFlight(long maxHeap, BooleanSupplier givesBack, LongSupplier nanoTime) {
    this.maxHeap = maxHeap;
    this.givesBack = givesBack;
    this.nanoTime = nanoTime;
    this.silentSince = nanoTime.getAsLong();
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    byte[] body = (byte[]) exchange.getMessage().getBody();
    long weight = Math.min(maxHeap, WEIGHT_PER_MESSAGE + (long) WEIGHT_PER_BYTE * body.length);
    Weight before = exchange.getProperty(WEIGHT, Weight.class);
    if (before != null) {
      // Kafka refused it, and something else is sent in its place
      before.release();
    }
    take(weight);
    Weight taken = new Weight(weight);
    exchange.setProperty(WEIGHT, taken);
    exchange.getExchangeExtension().addOnCompletion(taken);
  }

  /** What one message has taken; given back once. */
  private final class Weight extends SynchronizationAdapter {

    private final AtomicLong weight;

    Weight(long weight) {
      this.weight = new AtomicLong(weight);
    }

    void release() {
      giveBack(weight.getAndSet(0));
    }

    @Override
    public void onDone(Exchange done) {
      release();
    }
  }

  /** The bound, in bytes of heap. */
  public long limit() {
    return maxHeap;
  }

  /** How much heap is taken now, in bytes. */
  public long taken() {
    lock.lock();
    try {
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** For how long messages have waited without any being acknowledged. */
  public Duration silence() {
    lock.lock();
    try {
      return taken == 0 ? Duration.ZERO : Duration.ofNanos(nanoTime.getAsLong() - silentSince);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until nothing is on its way any more.
   *
   * @return false if that takes too long
   */
  public boolean awaitNothing(Duration atMost) throws InterruptedException {
    long left = atMost.toNanos();
    lock.lockInterruptibly();
    try {
      while (taken > 0) {
        if (left <= 0) {
          return false;
        }
        left = givenBack.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** What is wrong with Kafka now, in a sentence. */
  public Optional<String> trouble() {
    Duration silence = silence();
    return silence.compareTo(SILENCE) < 0
        ? Optional.empty()
        : Optional.of(
            "Kafka has acknowledged nothing for "
                + silence.toSeconds()
                + " s; what waits for it takes "
                + taken()
                + " of "
                + maxHeap
                + " bytes of heap");
  }

  void take(long weight) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (taken + weight > maxHeap && !givesBack.getAsBoolean()) {
        boolean acknowledged = givenBack.await(1, TimeUnit.SECONDS);
        if (!acknowledged && !told) {
          told = true;
          LOG.warn(
              "Kafka acknowledges nothing, and the heap that may wait for it is used up: {} bytes"
                  + " (kafka.max-heap-in-flight). Events wait in the websocket's buffer, commands on"
                  + " their topic; check that Kafka can be reached and its topics are writable",
              taken);
        }
      }
      if (taken == 0) {
        silentSince = nanoTime.getAsLong();
      }
      taken += weight;
    } finally {
      lock.unlock();
    }
  }

  void giveBack(long weight) {
    lock.lock();
    try {
      taken -= weight;
      silentSince = nanoTime.getAsLong();
      if (told && taken <= maxHeap / 2) {
        told = false;
        LOG.info("There is heap again for what has to wait for Kafka");
      }
      givenBack.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
