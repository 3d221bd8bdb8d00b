// SPDX-License-Identifier: Apache-2.0
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
 * Limits the heap used by messages in flight to Kafka.
 *
 * <p>A message acquires its bytes before it is sent and releases them when Kafka acknowledges it.
 * At the limit the calling thread blocks, which applies backpressure to its source. A message
 * larger than the limit is sent alone. Thread-safe.
 */
public final class InFlightLimiter implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(InFlightLimiter.class);

  /** Exchange, message, record and share of a batch (measured during a Kafka outage of 60 s). */
  private static final int OVERHEAD_PER_MESSAGE = 4_096;

  /** The body and its copy in the producer's buffer. */
  private static final int COST_PER_BODY_BYTE = 2;

  /** Exchange property with the permit of its message. */
  private static final String PERMIT_PROPERTY = "inFlightPermit";

  /** Time without an acknowledgement, while messages are in flight, that counts as a stall. */
  static final Duration STALL_THRESHOLD = Duration.ofSeconds(5);

  private final long maxInFlightBytes;
  private final BooleanSupplier isReleasingThread;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition released = lock.newCondition();
  private long inFlightBytes;
  private boolean warned;

  /** Last acknowledgement, or the time at which the first message in flight was sent. */
  private long lastProgressNanos;

  /**
   * @param maxInFlightBytes the limit, in bytes of heap
   * @param isReleasingThread whether the calling thread is the one that releases; that thread never
   *     blocks, since it would wait for itself, and sends one message per acknowledgement
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
      // Kafka rejected the first message; this one replaces it
      previous.releaseOnce();
    }
    acquire(bytes);
    Permit permit = new Permit(bytes);
    exchange.setProperty(PERMIT_PROPERTY, permit);
    exchange.getExchangeExtension().addOnCompletion(permit);
  }

  /** The bytes acquired by one message; released once. */
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

  /** The limit, in bytes of heap. */
  public long limit() {
    return maxInFlightBytes;
  }

  /** Heap in flight, in bytes. */
  public long inFlightBytes() {
    lock.lock();
    try {
      return inFlightBytes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Time without an acknowledgement while messages are in flight; zero if no messages are in
   * flight.
   */
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
   * Waits until nothing is in flight.
   *
   * @return false on timeout
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

  /** Describes the current stall in one sentence; empty if Kafka acknowledges. */
  public Optional<String> stallReason() {
    Duration stall = timeSinceAck();
    return stall.compareTo(STALL_THRESHOLD) < 0
        ? Optional.empty()
        : Optional.of(
            "Kafka has acknowledged nothing for "
                + stall.toSeconds()
                + " s; "
                + inFlightBytes()
                + " of "
                + maxInFlightBytes
                + " bytes in flight");
  }

  void acquire(long bytes) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (inFlightBytes + bytes > maxInFlightBytes && !isReleasingThread.getAsBoolean()) {
        boolean acknowledged = released.await(1, TimeUnit.SECONDS);
        if (!acknowledged && !warned) {
          warned = true;
          LOG.warn(
              "In-flight limit reached and Kafka acknowledges nothing: {} bytes"
                  + " (kafka.max-in-flight-bytes). Events wait in the websocket buffer, commands on"
                  + " their topic; check that Kafka is reachable and its topics are writable",
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
        LOG.info("In-flight bytes back below half the limit; resuming");
      }
      released.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
