package io.retel.ariproxy.kafka;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
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

  /** A full bound under load is how it works; one that stays full is news. */
  private static final long PATIENCE_MS = 2_000;

  private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(PATIENCE_MS);

  private final long maxHeap;
  private final ReentrantLock lock = new ReentrantLock(true);
  private final Condition givenBack = lock.newCondition();
  private long taken;
  private long lastGivenBack = System.nanoTime();
  private boolean told;

  /**
   * @param maxHeap the bound, in bytes of heap
   */
  public BoundInFlight(long maxHeap) {
    this.maxHeap = maxHeap;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException {
    byte[] body = (byte[]) exchange.getMessage().getBody();
    long weight = Math.min(maxHeap, WEIGHT_PER_MESSAGE + (long) WEIGHT_PER_BYTE * body.length);
    take(weight);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                giveBack(weight);
              }

              @Override
              public boolean allowHandover() {
                return true;
              }
            });
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

  void take(long weight) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long waitingSince = System.nanoTime();
      while (taken + weight > maxHeap) {
        givenBack.await(PATIENCE_MS, TimeUnit.MILLISECONDS);
        boolean nothingCame =
            System.nanoTime() - latest(waitingSince, lastGivenBack) >= PATIENCE_NANOS;
        if (nothingCame && !told) {
          told = true;
          LOG.warn(
              "Kafka acknowledges nothing, and the {} bytes of heap that may wait for it are used up"
                  + " (kafka.max-heap-in-flight): events wait in the websocket's buffer and commands on their topic;"
                  + " check that Kafka can be reached and that the topics are writable",
              maxHeap);
        }
      }
      taken += weight;
    } finally {
      lock.unlock();
    }
  }

  /** The later of two readings of {@link System#nanoTime}, which may be negative. */
  private static long latest(long one, long other) {
    return one - other > 0 ? one : other;
  }

  void giveBack(long weight) {
    lock.lock();
    try {
      taken -= weight;
      lastGivenBack = System.nanoTime();
      if (told) {
        told = false;
        LOG.info("Kafka acknowledges again");
      }
      givenBack.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
