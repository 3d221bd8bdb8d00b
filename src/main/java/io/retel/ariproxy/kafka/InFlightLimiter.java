// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.config.HeapSize;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Limits the heap used by messages in flight to Kafka.
 *
 * <p>A message acquires its bytes before it is sent and releases them when Kafka acknowledges it.
 * At the limit the calling thread blocks, which applies backpressure to its source; messages wait
 * in order. A message larger than the limit is sent alone. Thread-safe.
 */
public final class InFlightLimiter implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(InFlightLimiter.class);

  /** Exchange, message, record and share of a batch (measured during a Kafka outage of 60 s). */
  private static final int OVERHEAD_PER_MESSAGE = 4_096;

  /** Length of the key up to which the overhead contains it. */
  private static final int MAX_COUNTED_IN_OVERHEAD = 256;

  /** A header of a message: its entry in the map, and the objects of a name and a value. */
  private static final int OVERHEAD_PER_HEADER = 144;

  /** A header of a record: Kafka's object, its array and its share of a list. */
  private static final int OVERHEAD_PER_RECORD_HEADER = 112;

  /** The body and its copy in the producer's buffer. */
  private static final int COST_PER_BODY_BYTE = 2;

  /** Exchange property with the permit of its message. */
  private static final String PERMIT_PROPERTY = "inFlightPermit";

  /** Time without an acknowledgement of the oldest message in flight that counts as a stall. */
  static final Duration STALL_THRESHOLD = Duration.ofSeconds(5);

  private final long maxInFlightBytes;
  private final BooleanSupplier isReleasingThread;
  private final Supplier<Duration> throttling;
  private final LongSupplier nanoTime;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition onRelease = lock.newCondition();

  /** Before the oldest and after the latest permit; the others are between, in order. */
  private final Permit ends = new Permit(Long.MAX_VALUE, 0);

  /** Messages that wait, in order: small ones do not overtake large ones during an outage. */
  private final Deque<Object> waiting = new ArrayDeque<>();

  private long inFlightBytes;
  private boolean warned;

  /** Sequence number of the latest message. */
  private long acquired;

  /** Since when the oldest message in flight is the oldest. */
  private long oldestSinceNanos;

  /** Last acknowledgement of any message. */
  private long lastAckNanos;

  /**
   * @param maxInFlightBytes the limit, in bytes of heap
   * @param isReleasingThread whether the calling thread is the one that releases; that thread never
   *     blocks, since it would wait for itself, and sends one message per acknowledgement
   */
  public InFlightLimiter(long maxInFlightBytes, BooleanSupplier isReleasingThread) {
    this(maxInFlightBytes, isReleasingThread, () -> Duration.ZERO, System::nanoTime);
  }

  /**
   * @param maxInFlightBytes the limit, in bytes of heap
   * @param isReleasingThread whether the calling thread is the one that releases; that thread never
   *     blocks, since it would wait for itself, and sends one message per acknowledgement
   * @param throttling of the producers: a stall of that time is not an outage
   */
  public InFlightLimiter(
      long maxInFlightBytes, BooleanSupplier isReleasingThread, Throttling throttling) {
    this(maxInFlightBytes, isReleasingThread, throttling::ofPublishing, System::nanoTime);
  }

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  InFlightLimiter(
      long maxInFlightBytes,
      BooleanSupplier isReleasingThread,
      Supplier<Duration> throttling,
      LongSupplier nanoTime) {
    this.maxInFlightBytes = maxInFlightBytes;
    this.isReleasingThread = isReleasingThread;
    this.throttling = throttling;
    this.nanoTime = nanoTime;
    this.oldestSinceNanos = nanoTime.getAsLong();
    this.lastAckNanos = oldestSinceNanos;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    HeaderHeap headers = HeaderHeap.of(exchange.getMessage());
    if (OutgoingRecord.isUnmapped(exchange)) {
      // of others, the last step before Kafka removes them
      OutgoingRecord.releaseVariables(exchange);
    }
    long heap = headers.ofMessage() + headers.ofRecord(OutgoingRecord.value(exchange).length);
    List<OutgoingRecord> copies = OutgoingRecord.copies(exchange);
    for (OutgoingRecord copy : copies) {
      heap += headers.ofRecord(copy.size());
    }
    if (heap > maxInFlightBytes && !copies.isEmpty()) {
      throw new RecordTooLargeException(
          "the event and its copies for "
              + copies.size()
              + " other calls need "
              + heap
              + " bytes of heap; the limit is "
              + maxInFlightBytes
              + " (kafka.max-in-flight-bytes)");
    }
    long bytes = Math.min(maxInFlightBytes, heap);
    Permit previous = exchange.getProperty(PERMIT_PROPERTY, Permit.class);
    if (previous != null) {
      // Kafka rejected the first message; this one replaces it
      previous.release();
    }
    Permit permit = acquire(bytes);
    exchange.setProperty(PERMIT_PROPERTY, permit);
    exchange.getExchangeExtension().addOnCompletion(permit);
    OutgoingRecord.inFlight(exchange);
  }

  /**
   * The heap of the headers that steps of authors have added.
   *
   * @param textBytes that of their names and values
   * @param count their number
   */
  private record HeaderHeap(long textBytes, int count) {

    static HeaderHeap of(Message message) {
      long textBytes = 0;
      int count = 0;
      for (Map.Entry<String, Object> header : message.getHeaders().entrySet()) {
        long valueBytes = valueBytes(header.getValue());
        if (!header.getKey().equals(KafkaConstants.KEY)) {
          count++;
          textBytes += HeapSize.ofArray(2L * header.getKey().length()) + valueBytes;
        } else if (valueBytes > 2 * MAX_COUNTED_IN_OVERHEAD) {
          textBytes += valueBytes;
        }
      }
      return new HeaderHeap(textBytes, count);
    }

    private static long valueBytes(@Nullable Object value) {
      if (value instanceof CharSequence text) {
        return HeapSize.ofArray(2L * text.length());
      }
      return value instanceof byte[] array ? HeapSize.ofArray(array.length) : 0;
    }

    /** Returns their heap in the message. */
    long ofMessage() {
      return OVERHEAD_PER_HEADER * (long) count + textBytes;
    }

    /** Returns the heap of one record with them; more of them are not sent. */
    long ofRecord(int recordSize) {
      long sentBytes = Math.min(textBytes, HeaderLimit.MAX_SIZE);
      return OVERHEAD_PER_MESSAGE
          + OVERHEAD_PER_RECORD_HEADER * Math.min(count, HeaderLimit.MAX_COUNT)
          + COST_PER_BODY_BYTE * HeapSize.ofArray(recordSize + sentBytes);
    }
  }

  /**
   * The bytes acquired by one message; released once. An element of a list: a set would cost an
   * entry and a hash code for each message.
   */
  final class Permit extends MessageCompletion {

    private final long sequence;
    private final long bytes;

    /** This permit itself if it is released. */
    private Permit previous = this;

    private Permit next = this;

    private Permit(long sequence, long bytes) {
      this.sequence = sequence;
      this.bytes = bytes;
    }

    private void insertBefore(Permit other) {
      previous = other.previous;
      next = other;
      previous.next = this;
      next.previous = this;
    }

    private void remove() {
      previous.next = next;
      next.previous = previous;
      previous = this;
      next = this;
    }

    void release() {
      InFlightLimiter.this.release(this);
    }

    @Override
    public void onDone(Exchange exchange) {
      release();
    }
  }

  /** The limit, in bytes of heap. */
  public long limit() {
    return maxInFlightBytes;
  }

  /** Messages that wait. */
  int waiting() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
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
   * Time for which the oldest message in flight has been the oldest; zero if no messages are in
   * flight.
   *
   * <p>Kafka acknowledges each partition in order. So if it acknowledges nothing of a partition,
   * the oldest message remains the same, regardless of the others.
   */
  public Duration stall() {
    lock.lock();
    try {
      return isIdle() ? Duration.ZERO : Duration.ofNanos(nanoTime.getAsLong() - oldestSinceNanos);
    } finally {
      lock.unlock();
    }
  }

  /** Whether Kafka acknowledges messages, although not the oldest one. */
  private boolean isAcknowledgingOthers() {
    lock.lock();
    try {
      return nanoTime.getAsLong() - lastAckNanos < STALL_THRESHOLD.dividedBy(2).toNanos();
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
        remaining = onRelease.awaitNanos(remaining);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Returns the number of the latest message. */
  public long latest() {
    lock.lock();
    try {
      return acquired;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until all messages up to this one have been acknowledged or given up.
   *
   * @return false on timeout
   */
  public boolean awaitCompletion(long latest, Duration timeout) throws InterruptedException {
    long remaining = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (ends.next.sequence <= latest) {
        if (remaining <= 0) {
          return false;
        }
        remaining = onRelease.awaitNanos(remaining);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Describes the current stall in one sentence; empty if Kafka acknowledges, even if throttled.
   */
  public Optional<String> stallReason() {
    Duration stall = stall();
    return stall.compareTo(STALL_THRESHOLD) < 0
            || stall.compareTo(STALL_THRESHOLD.plus(throttling.get())) < 0
        ? Optional.empty()
        : Optional.of(
            "Kafka has acknowledged nothing "
                + (isAcknowledgingOthers() ? "of a partition for " : "for ")
                + stall.toSeconds()
                + " s; "
                + inFlightBytes()
                + " of "
                + maxInFlightBytes
                + " bytes in flight");
  }

  Permit acquire(long bytes) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      if (hasToWait(bytes) && !isReleasingThread.getAsBoolean()) {
        awaitTurn(bytes);
      }
      if (isIdle()) {
        oldestSinceNanos = nanoTime.getAsLong();
        lastAckNanos = oldestSinceNanos;
      }
      acquired++;
      Permit permit = new Permit(acquired, bytes);
      permit.insertBefore(ends);
      inFlightBytes += bytes;
      return permit;
    } finally {
      lock.unlock();
    }
  }

  private boolean isIdle() {
    return ends.next == ends;
  }

  private boolean hasToWait(long bytes) {
    return !waiting.isEmpty() || inFlightBytes + bytes > maxInFlightBytes;
  }

  private void awaitTurn(long bytes) throws InterruptedException {
    Object turn = new Object();
    waiting.addLast(turn);
    try {
      while (waiting.getFirst() != turn || inFlightBytes + bytes > maxInFlightBytes) {
        boolean acknowledged = onRelease.await(1, TimeUnit.SECONDS);
        if (!acknowledged && !warned) {
          warned = true;
          logLimitReached();
        }
      }
    } finally {
      waiting.remove(turn);
      onRelease.signalAll();
    }
  }

  private void logLimitReached() {
    if (throttling.get().isZero()) {
      LOG.warn(
          "In-flight limit reached and Kafka acknowledges nothing: {} bytes"
              + " (kafka.max-in-flight-bytes). Events wait in the websocket buffer, commands on"
              + " their topic; check that Kafka is reachable and its topics are writable",
          inFlightBytes);
    } else {
      LOG.warn(
          "In-flight limit reached while Kafka throttles this proxy: {} bytes"
              + " (kafka.max-in-flight-bytes). Events wait in the websocket buffer, commands on"
              + " their topic; raise the quota of its user or client id",
          inFlightBytes);
    }
  }

  private void release(Permit permit) {
    lock.lock();
    try {
      if (permit.next == permit) {
        return;
      }
      boolean isOldest = ends.next == permit;
      permit.remove();
      inFlightBytes -= permit.bytes;
      lastAckNanos = nanoTime.getAsLong();
      if (isOldest) {
        oldestSinceNanos = lastAckNanos;
      }
      if (warned && inFlightBytes <= maxInFlightBytes / 2) {
        warned = false;
        LOG.info("In-flight bytes back below half the limit; resuming");
      }
      onRelease.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
