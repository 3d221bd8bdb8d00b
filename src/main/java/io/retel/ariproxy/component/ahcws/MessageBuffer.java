// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A buffer between the socket, which must be read promptly, and the route.
 *
 * <p>For one producer and one consumer thread. The limit is in bytes and soft: {@link #put} always
 * succeeds. Reads from the socket pause when {@link #isFull} and resume when {@link #hasRoom}.
 */
final class MessageBuffer {

  /** Estimated heap per message in addition to its payload. */
  private static final long MESSAGE_OVERHEAD_BYTES = 128;

  private final long maxBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Deque<WebSocketMessage> messages = new ArrayDeque<>();
  private long bytes;

  MessageBuffer(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Appends a message; never blocks. */
  void put(WebSocketMessage message) {
    lock.lock();
    try {
      messages.addLast(message);
      bytes += message.sizeBytes() + MESSAGE_OVERHEAD_BYTES;
      // the thread of a route that was stopped can still be among them, and end
      notEmpty.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for a message without removing it.
   *
   * @return whether the buffer has a message
   */
  boolean awaitMessage(long timeoutMs) throws InterruptedException {
    long remainingNanos = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    lock.lockInterruptibly();
    try {
      while (messages.isEmpty()) {
        if (remainingNanos <= 0) {
          return false;
        }
        remainingNanos = notEmpty.awaitNanos(remainingNanos);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Removes the oldest message, or returns null. */
  @Nullable WebSocketMessage poll() {
    lock.lock();
    try {
      WebSocketMessage message = messages.pollFirst();
      if (message != null) {
        bytes -= message.sizeBytes() + MESSAGE_OVERHEAD_BYTES;
      }
      return message;
    } finally {
      lock.unlock();
    }
  }

  /** Whether reads from the socket must pause. */
  boolean isFull() {
    lock.lock();
    try {
      return bytes >= maxBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Whether reads from the socket can resume: at least half of the buffer is free. */
  boolean hasRoom() {
    lock.lock();
    try {
      return bytes <= maxBytes / 2;
    } finally {
      lock.unlock();
    }
  }

  /** Moves all messages to another buffer, in order. */
  void drainTo(MessageBuffer other) {
    for (WebSocketMessage message = poll(); message != null; message = poll()) {
      other.put(message);
    }
  }

  /** Size of the buffered messages in bytes, including overhead. */
  long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /** Number of buffered messages. */
  int size() {
    lock.lock();
    try {
      return messages.size();
    } finally {
      lock.unlock();
    }
  }
}
