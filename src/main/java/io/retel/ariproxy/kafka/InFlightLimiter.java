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
public final class InFlightLimiter implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(InFlightLimiter.class);

  /**
   * An exchange with its message, its record and its place in a batch (measured: stack.md, Kafka
   * away for 60 s).
   */
  private static final int OVERHEAD_PER_MESSAGE = 4_096;

  /** The body, and its copy in the producer's buffer. */
  private static final int COST_PER_BODY_BYTE = 2;

  /** The exchange property with what its message has taken. */
  private static final String PERMIT_PROPERTY = "inFlightPermit";

  /** How long Kafka may be silent while something waits for it before that is trouble. */
  static final Duration STALL_THRESHOLD = Duration.ofSeconds(5);

  private final long maxInFlightBytes;
  private final BooleanSupplier isReleasingThread;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition released = lock.newCondition();
  private long inFlightBytes;
  private boolean warned;

  /** Since when something waits and nothing has been acknowledged. */
  private long lastProgressNanos;

  /**
   * @param maxHeap the bound, in bytes of heap
   * @param givesBack whether the caller's thread is the one that gives back: it never waits, since
   *     it would wait for itself; it sends one message for one that is acknowledged
   */
  public InFlightLimiter(long maxInFlightBytes, BooleanSupplier isReleasingThread) {
    this(maxInFlightBytes, isReleasingThread, System::nanoTime);
  }

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  InFlightLimiter(long maxInFlightBytes, BooleanSupplier isReleasingThread, LongSupplier nanoTime) {
    this.maxInFlightBytes = maxInFlightBytes;
    this.isReleasingThread = isReleasingThread;
    this.nanoTime = nanoTime;
    this.lastProgressNanos = nanoTime.getAsLong();
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    byte[] body = (byte[]) exchange.getMessage().getBody();
    long bytes =
        Math.min(maxInFlightBytes, OVERHEAD_PER_MESSAGE + (long) COST_PER_BODY_BYTE * body.length);
    Permit previous = exchange.getProperty(PERMIT_PROPERTY, Permit.class);
    if (previous != null) {
      // Kafka refused it, and something else is sent in its place
      previous.releaseOnce();
    }
    acquire(bytes);
    Permit permit = new Permit(bytes);
    exchange.setProperty(PERMIT_PROPERTY, permit);
    exchange.getExchangeExtension().addOnCompletion(permit);
  }

  /** What one message has taken; given back once. */
  private final class Permit extends SynchronizationAdapter {

    private final AtomicLong bytes;

    Permit(long bytes) {
      this.bytes = new AtomicLong(bytes);
    }

    void releaseOnce() {
      release(bytes.getAndSet(0));
    }

    @Override
    public void onDone(Exchange exchange) {
      releaseOnce();
    }
  }

  /** The bound, in bytes of heap. */
  public long limit() {
    return maxInFlightBytes;
  }

  /** How much heap is taken now, in bytes. */
  public long inFlightBytes() {
    lock.lock();
    try {
      return inFlightBytes;
    } finally {
      lock.unlock();
    }
  }

  /** For how long messages have waited without any being acknowledged. */
  public Duration timeSinceAck() {
    lock.lock();
    try {
      return inFlightBytes == 0
          ? Duration.ZERO
          : Duration.ofNanos(nanoTime.getAsLong() - lastProgressNanos);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until nothing is on its way any more.
   *
   * @return false if that takes too long
   */
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    long remaining = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (inFlightBytes > 0) {
        if (remaining <= 0) {
          return false;
        }
        remaining = released.awaitNanos(remaining);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** What is wrong with Kafka now, in a sentence. */
  public Optional<String> stallReason() {
    Duration stall = timeSinceAck();
    return stall.compareTo(STALL_THRESHOLD) < 0
        ? Optional.empty()
        : Optional.of(
            "Kafka has acknowledged nothing for "
                + stall.toSeconds()
                + " s; what waits for it takes "
                + inFlightBytes()
                + " of "
                + maxInFlightBytes
                + " bytes of heap");
  }

  void acquire(long bytes) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (inFlightBytes + bytes > maxInFlightBytes && !isReleasingThread.getAsBoolean()) {
        boolean acknowledged = released.await(1, TimeUnit.SECONDS);
        if (!acknowledged && !warned) {
          warned = true;
          LOG.warn(
              "Kafka acknowledges nothing, and the heap that may wait for it is used up: {} bytes"
                  + " (kafka.max-in-flight-bytes). Events wait in the websocket's buffer, commands on"
                  + " their topic; check that Kafka can be reached and its topics are writable",
              inFlightBytes);
        }
      }
      if (inFlightBytes == 0) {
        lastProgressNanos = nanoTime.getAsLong();
      }
      inFlightBytes += bytes;
    } finally {
      lock.unlock();
    }
  }

  void release(long bytes) {
    lock.lock();
    try {
      inFlightBytes -= bytes;
      lastProgressNanos = nanoTime.getAsLong();
      if (warned && inFlightBytes <= maxInFlightBytes / 2) {
        warned = false;
        LOG.info("There is heap again for what has to wait for Kafka");
      }
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
