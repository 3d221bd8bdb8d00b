package io.retel.ariproxy.event;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.kafka.common.errors.ApiException;

/**
 * The events from which something has been learnt, and which Kafka has not acknowledged yet.
 *
 * <p>What is kept of calls says what controllers have been told. So it may be kept only after they
 * have: a process that dies before leaves the next one what it had not told. Safe for use by many
 * threads.
 */
public final class EventsUnderWay {

  /** The exchange property of one that is under way. */
  private static final String UNDER_WAY = "underWay";

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();

  /** In the order of their begin; what has ended stays until all before it have. */
  private final Deque<UnderWay> inOrder = new ArrayDeque<>();

  private long begun;
  private int count;

  /** The last one that somebody waits for: nobody is woken before all up to it have ended. */
  private long awaited = Long.MAX_VALUE;

  /** One of them, by its number among all that have begun. */
  private static final class UnderWay {
    private final long number;
    private boolean ended;

    UnderWay(long number) {
      this.number = number;
    }
  }

  /** Something is about to be learnt from the event, or events, of an exchange. */
  public void begin(Exchange exchange) {
    if (exchange.getProperty(UNDER_WAY) != null) {
      return;
    }
    exchange.setProperty(UNDER_WAY, true);
    UnderWay one = begin();
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                if (!endedByForce(done)) {
                  end(one);
                }
              }
            });
  }

  /** What a stop leaves unpublished is not told, and nothing behind it is kept any more. */
  private static boolean endedByForce(Exchange done) {
    CamelContext context = done.getContext();
    Exception failure =
        done.getException() != null
            ? done.getException()
            : done.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    // what Kafka itself refuses is lost at any time
    boolean unpublished = failure != null && !(failure instanceof ApiException);
    return unpublished && (context.isStopping() || context.isStopped());
  }

  /**
   * Waits until all that have begun so far are acknowledged; those that begin now do not matter.
   */
  public void awaitAcknowledged() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long last = begun;
      while (!hasEndedUpTo(last)) {
        awaited = Math.min(awaited, last);
        ended.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many are not acknowledged; after a stop, how many it has left unpublished. */
  public int count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  private UnderWay begin() {
    lock.lock();
    try {
      begun++;
      count++;
      UnderWay one = new UnderWay(begun);
      inOrder.addLast(one);
      return one;
    } finally {
      lock.unlock();
    }
  }

  private void end(UnderWay one) {
    lock.lock();
    try {
      one.ended = true;
      count--;
      while (!inOrder.isEmpty() && inOrder.getFirst().ended) {
        inOrder.removeFirst();
      }
      if (awaited != Long.MAX_VALUE && hasEndedUpTo(awaited)) {
        awaited = Long.MAX_VALUE;
        ended.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean hasEndedUpTo(long last) {
    return inOrder.isEmpty() || inOrder.getFirst().number > last;
  }
}
