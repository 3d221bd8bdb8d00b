// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The entrance to a route, which closes without dropping a message: messages inside finish their
 * step, and later ones wait outside.
 *
 * <p>Thread-safe. A message is <em>inside</em> from {@link #enter} until {@link #exit}, the
 * synchronous part of its processing. Camel's in-flight repository tracks the asynchronous rest of
 * its processing.
 */
public final class RouteGate {

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition opened = lock.newCondition();
  private int activeCount;
  private boolean open;

  /** Opens the gate and admits waiting callers. */
  public void open() {
    lock.lock();
    try {
      open = true;
      opened.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Closes the gate without waiting for messages inside; see {@link #activeCount}. */
  public void close() {
    lock.lock();
    try {
      open = false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Enters, waiting until the gate is open.
   *
   * @param timeoutMs maximum wait in milliseconds; 0 to return immediately
   * @return whether the caller is inside and must call {@link #exit}
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

  /** Leaves the gate. */
  public void exit() {
    lock.lock();
    try {
      activeCount--;
    } finally {
      lock.unlock();
    }
  }

  /** Number of messages inside. */
  public int activeCount() {
    lock.lock();
    try {
      return activeCount;
    } finally {
      lock.unlock();
    }
  }
}
