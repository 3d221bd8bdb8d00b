// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.MessageCompletion;
import io.retel.ariproxy.config.HeapSize;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Exchange;

/**
 * Limits the heap used by large responses between Asterisk's socket and the limit on bytes in
 * flight to Kafka.
 *
 * <p>A response acquires all its heap before its body is read, so that none waits while it has a
 * part. It releases it when its RESPONSE counts as in flight, at the latest when the command
 * completes. At the limit the calling thread blocks, and the body waits in the socket. A response
 * larger than the limit is read alone. Thread-safe.
 */
public final class LargeResponseLimiter {

  /** Exchange property with the permit of its response. */
  private static final String PERMIT_PROPERTY = "largeResponsePermit";

  /** The RESPONSE without its body, which is in base64 if it is not JSON. */
  private static final int ENVELOPE_BYTES = 1_024;

  private static final int UNIT_BYTES = 1_024;

  private final int limit;
  private final Semaphore available;
  private final Duration timeout;

  /**
   * @param maxBytes the limit, in bytes of heap
   * @param timeout how long a response waits for others
   */
  public LargeResponseLimiter(long maxBytes, Duration timeout) {
    this.limit = units(maxBytes);
    // fair, so that smaller responses do not overtake a larger one for as long as they come
    this.available = new Semaphore(limit, true);
    this.timeout = timeout;
  }

  /**
   * Acquires the heap for a response if no other one waits.
   *
   * @return false if it has to wait
   */
  boolean tryAcquire(Exchange exchange, int bodyBytes) throws InterruptedException {
    return acquire(exchange, bodyBytes, Duration.ZERO);
  }

  /**
   * Acquires the heap for a response.
   *
   * @return false on timeout
   */
  boolean acquire(Exchange exchange, int bodyBytes) throws InterruptedException {
    return acquire(exchange, bodyBytes, timeout);
  }

  private boolean acquire(Exchange exchange, int bodyBytes, Duration wait)
      throws InterruptedException {
    int units = Math.min(limit, units(heap(bodyBytes)));
    if (!available.tryAcquire(units, wait.toNanos(), TimeUnit.NANOSECONDS)) {
      return false;
    }
    Permit permit = new Permit(units);
    exchange.setProperty(PERMIT_PROPERTY, permit);
    exchange.getExchangeExtension().addOnCompletion(permit);
    return true;
  }

  /** Releases the heap of the exchange's response, if it has some. */
  static void release(Exchange exchange) {
    if (exchange.removeProperty(PERMIT_PROPERTY) instanceof Permit permit) {
      permit.release();
    }
  }

  /** Returns the heap for a response: its body, and its envelope twice while it is written. */
  static long heap(int bodyBytes) {
    long envelope = ENVELOPE_BYTES + bodyBytes * 4L / 3;
    return HeapSize.ofArray(bodyBytes) + 2 * HeapSize.ofArray(envelope);
  }

  /** The limit, in bytes of heap. */
  public long limit() {
    return (long) limit * UNIT_BYTES;
  }

  /** The heap acquired, in bytes. */
  public long usedBytes() {
    return (long) (limit - available.availablePermits()) * UNIT_BYTES;
  }

  private static int units(long bytes) {
    return (int) Math.min(Integer.MAX_VALUE, bytes / UNIT_BYTES);
  }

  /** The heap acquired by one response; released once. */
  private final class Permit extends MessageCompletion {

    private final int units;
    private final AtomicBoolean released = new AtomicBoolean();

    Permit(int units) {
      this.units = units;
    }

    void release() {
      if (released.compareAndSet(false, true)) {
        available.release(units);
      }
    }

    @Override
    public void onDone(Exchange exchange) {
      release();
    }
  }
}
