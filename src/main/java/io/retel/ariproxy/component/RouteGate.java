package io.retel.ariproxy.component;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets messages into a route one by one and can be closed behind the last one, so that a route is
 * exchanged with nothing in between: whoever is inside finishes its step, whoever comes later waits
 * outside.
 *
 * <p>Safe for use by many threads. A message is <em>inside</em> from {@link #enter} until {@link
 * #exit}, which is the synchronous part of its way through the route; what goes on asynchronously
 * after that is counted by Camel's in-flight repository.
 */
public final class RouteGate {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition opened = lock.newCondition();
  private int activeCount;
  private boolean open;

  /** Opens it; those who wait outside enter. */
  public void open() {
    lock.lock();
    try {
      open = true;
      opened.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Closes it. Those who are inside are not waited for: {@link #activeCount} tells how many they
   * are.
   */
  public void close() {
    lock.lock();
    try {
      open = false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Enters if it is open, or becomes open within the given time.
   *
   * @param timeout how long to wait outside, in milliseconds; 0 to not wait
   * @return whether the caller is inside and owes a {@link #exit}
   */
  public boolean enter(long timeoutMs) throws InterruptedException {
    long remainingNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    lock.lockInterruptibly();
    try {
      while (!open) {
        if (remainingNanos <= 0) {
          return false;
        }
        remainingNanos = opened.awaitNanos(remainingNanos);
      }
      activeCount++;
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Leaves it. */
  public void exit() {
    lock.lock();
    try {
      activeCount--;
    } finally {
      lock.unlock();
    }
  }

  /** How many are inside. */
  public int activeCount() {
    lock.lock();
    try {
      return activeCount;
    } finally {
      lock.unlock();
    }
  }
}
