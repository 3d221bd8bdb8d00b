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
public final class InFlightEvents {

  /** The exchange property of one that is under way. */
  private static final String IN_FLIGHT = "inFlightEvent";

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition completed = lock.newCondition();

  /** In the order of their begin; what has ended stays until all before it have. */
  private final Deque<InFlightEvent> inOrder = new ArrayDeque<>();

  private long lastSequence;
  private int count;

  /** The last one that somebody waits for: nobody is woken before all up to it have ended. */
  private long awaitedSequence = Long.MAX_VALUE;

  /** One of them, by its number among all that have begun. */
  private static final class InFlightEvent {
    private final long sequence;
    private boolean completed;

    InFlightEvent(long sequence) {
      this.sequence = sequence;
    }
  }

  /** Something is about to be learnt from the event, or events, of an exchange. */
  public void add(Exchange exchange) {
    if (exchange.getProperty(IN_FLIGHT) != null) {
      return;
    }
    exchange.setProperty(IN_FLIGHT, true);
    InFlightEvent event = add();
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new SynchronizationAdapter() {
              @Override
              public void onDone(Exchange done) {
                if (!isAborted(done)) {
                  complete(event);
                }
              }
            });
  }

  /** What a stop leaves unpublished is not told, and nothing behind it is kept any more. */
  private static boolean isAborted(Exchange exchange) {
    CamelContext context = exchange.getContext();
    Exception failure =
        exchange.getException() != null
            ? exchange.getException()
            : exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
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
      long last = lastSequence;
      while (!isCompletedUpTo(last)) {
        awaitedSequence = Math.min(awaitedSequence, last);
        completed.await();
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

  private InFlightEvent add() {
    lock.lock();
    try {
      lastSequence++;
      count++;
      InFlightEvent event = new InFlightEvent(lastSequence);
      inOrder.addLast(event);
      return event;
    } finally {
      lock.unlock();
    }
  }

  private void complete(InFlightEvent event) {
    lock.lock();
    try {
      event.completed = true;
      count--;
      while (!inOrder.isEmpty() && inOrder.getFirst().completed) {
        inOrder.removeFirst();
      }
      if (awaitedSequence != Long.MAX_VALUE && isCompletedUpTo(awaitedSequence)) {
        awaitedSequence = Long.MAX_VALUE;
        completed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean isCompletedUpTo(long last) {
    return inOrder.isEmpty() || inOrder.getFirst().sequence > last;
  }
}
