// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.component.MessageCompletion;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.kafka.common.errors.ApiException;

/**
 * The events that have updated mappings but are not yet acknowledged by Kafka.
 *
 * <p>Persisted mappings must match the published events. So changes are persisted only after the
 * events that caused them are acknowledged; after a crash, the next process publishes the rest.
 * Thread-safe.
 */
public final class InFlightEvents {

  /** The exchange property that marks an event in flight. */
  static final String IN_FLIGHT = "inFlightEvent";

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition completed = lock.newCondition();

  /** Before the first and after the last event; the others are between, in start order. */
  private final InFlightEvent ends = new InFlightEvent(Long.MAX_VALUE);

  private long lastSequence;
  private int count;

  /**
   * The lowest sequence number awaited: no thread is signaled until all events up to it have
   * completed.
   */
  private long awaitedSequence = Long.MAX_VALUE;

  /**
   * An event in flight, with its sequence number: an element of a list, removed as it completes,
   * also behind one that does not.
   */
  private static final class InFlightEvent {
    private final long sequence;
    private InFlightEvent previous = this;
    private InFlightEvent next = this;

    InFlightEvent(long sequence) {
      this.sequence = sequence;
    }

    void insertBefore(InFlightEvent other) {
      previous = other.previous;
      next = other;
      previous.next = this;
      next.previous = this;
    }

    void remove() {
      previous.next = next;
      next.previous = previous;
      previous = this;
      next = this;
    }
  }

  /**
   * Adds the event of an exchange, which is about to update mappings. Adding it twice has no
   * effect.
   */
  public void add(Exchange exchange) {
    if (exchange.getProperty(IN_FLIGHT) != null) {
      return;
    }
    InFlightEvent event = add();
    exchange.setProperty(IN_FLIGHT, event);
    exchange
        .getExchangeExtension()
        .addOnCompletion(
            new MessageCompletion() {
              @Override
              public void onDone(Exchange done) {
                if (!isAborted(done)) {
                  complete(event);
                }
              }
            });
  }

  /**
   * Whether shutdown aborted the event before it was published. Such an event never completes, so
   * no later change is persisted.
   */
  private static boolean isAborted(Exchange exchange) {
    CamelContext context = exchange.getContext();
    Exception failure =
        exchange.getException() != null
            ? exchange.getException()
            : exchange.getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class);
    // an event that Kafka itself rejects is lost in any case
    boolean unpublished = failure != null && !(failure instanceof ApiException);
    return unpublished && (context.isStopping() || context.isStopped());
  }

  /**
   * Excludes an event that has changed no mapping from those that changes wait for. It remains in
   * the number of events that are not acknowledged.
   */
  public void exclude(Exchange exchange) {
    if (exchange.getProperty(IN_FLIGHT) instanceof InFlightEvent event) {
      lock.lock();
      try {
        remove(event);
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Blocks until all events added so far are acknowledged, except excluded ones; later ones are
   * ignored.
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

  /** Number of events not acknowledged; after a shutdown, these are lost. */
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
      event.insertBefore(ends);
      return event;
    } finally {
      lock.unlock();
    }
  }

  private void complete(InFlightEvent event) {
    lock.lock();
    try {
      count--;
      remove(event);
    } finally {
      lock.unlock();
    }
  }

  private void remove(InFlightEvent event) {
    event.remove();
    if (awaitedSequence != Long.MAX_VALUE && isCompletedUpTo(awaitedSequence)) {
      awaitedSequence = Long.MAX_VALUE;
      completed.signalAll();
    }
  }

  private boolean isCompletedUpTo(long last) {
    return ends.next.sequence > last;
  }
}
