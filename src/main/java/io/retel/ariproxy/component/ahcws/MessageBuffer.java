package io.retel.ariproxy.component.ahcws;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The bounded buffer between the socket, which must be read quickly, and the route.
 *
 * <p>One thread puts, one thread takes. The bound is in bytes and soft: a put always succeeds and
 * tells whether the buffer is full, so that the socket is no longer read; a take tells when there
 * is room again.
 */
final class MessageBuffer {

  /** Bookkeeping per message that is not its payload. */
  private static final long MESSAGE_OVERHEAD_BYTES = 128;

  private final long maxBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Deque<WebSocketMessage> messages = new ArrayDeque<>();
  private long bytes;

  MessageBuffer(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Adds a message; never waits. */
  void put(WebSocketMessage message) {
    lock.lock();
    try {
      messages.addLast(message);
      bytes += message.sizeBytes() + MESSAGE_OVERHEAD_BYTES;
      notEmpty.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until there is a message, without taking it. */
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

  /** Takes the oldest message, or null. */
  WebSocketMessage poll() {
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

  /** Whether the socket must no longer be read. */
  boolean isFull() {
    lock.lock();
    try {
      return bytes >= maxBytes;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the socket may be read again: a good part of the buffer is free. */
  boolean hasRoom() {
    lock.lock();
    try {
      return bytes <= maxBytes / 2;
    } finally {
      lock.unlock();
    }
  }

  /** Moves all messages into another buffer. */
  void drainTo(MessageBuffer other) {
    for (WebSocketMessage message = poll(); message != null; message = poll()) {
      other.put(message);
    }
  }

  /** What the messages that wait weigh. */
  long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }

  /** How many messages wait. */
  int size() {
    lock.lock();
    try {
      return messages.size();
    } finally {
      lock.unlock();
    }
  }
}
