// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Messages that are sent at a fixed rate, and when each of them arrives. One thread sends, any
 * thread reports arrivals.
 */
final class Arrivals {

  private final AtomicLongArray sent;
  private final long[] latencies;
  private final CountDownLatch remaining;

  Arrivals(int count) {
    sent = new AtomicLongArray(count);
    latencies = new long[count];
    remaining = new CountDownLatch(count);
  }

  /** Sends all messages; catches up if sending one takes longer than its share of the time. */
  void sendAll(int perSecond, IntConsumer send) {
    long start = System.nanoTime();
    for (int i = 0; i < sent.length(); i++) {
      long due = start + i * 1_000_000_000L / perSecond;
      while (System.nanoTime() - due < 0) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      sent.set(i, System.nanoTime());
      send.accept(i);
    }
  }

  /**
   * Records the arrival of a message, which must be the only one of it.
   *
   * @param index of the message; ignored if there is none, such as the RESPONSE of a hung command
   */
  void arrived(long index) {
    long now = System.nanoTime();
    if (index >= 0 && index < latencies.length) {
      latencies[(int) index] = now - sent.get((int) index);
      remaining.countDown();
    }
  }

  /**
   * Waits for all messages.
   *
   * @return the time of each, in order of length
   * @throws IllegalStateException if some do not arrive in time
   */
  Latencies await(Duration timeout) throws InterruptedException {
    if (!remaining.await(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException(
          "%d of %d messages did not arrive within %d s; see target/benchmark-*.log"
              .formatted(remaining.getCount(), latencies.length, timeout.toSeconds()));
    }
    long[] sorted = latencies.clone();
    Arrays.sort(sorted);
    return new Latencies(sorted);
  }
}
