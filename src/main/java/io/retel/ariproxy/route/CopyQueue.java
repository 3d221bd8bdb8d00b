// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.camel.Exchange;
import org.apache.camel.WaitForTaskToComplete;
import org.apache.camel.component.seda.SedaEndpoint;
import org.jspecify.annotations.Nullable;

/**
 * A queue of {@code seda} whose copies are limited by their heap as well. A message whose sender
 * waits for the reply is not counted: a sender waits for one at a time. Thread-safe.
 */
final class CopyQueue extends LinkedBlockingQueue<Exchange> {

  private static final long serialVersionUID = 1L;

  /** Exchange property with the heap of a copy that waits: its body can change later. */
  private static final String BYTES = "AriProxyQueuedBytes";

  private final int capacity;
  private final transient CopyHeap heap;

  CopyQueue(int capacity, CopyHeap heap) {
    super(capacity);
    this.capacity = capacity;
    this.heap = heap;
  }

  @Override
  public boolean add(Exchange message) {
    if (offer(message)) {
      return true;
    }
    throw refused(message);
  }

  @Override
  public boolean offer(Exchange message) {
    if (remainingCapacity() == 0) {
      return false;
    }
    long bytes = measure(message);
    if (!heap.tryAdd(bytes)) {
      return false;
    }
    boolean added = super.offer(message);
    if (!added) {
      heap.remove(bytes);
    }
    return added;
  }

  /** Unlike other queues, throws after a timeout, and returns false only without one. */
  @Override
  public boolean offer(Exchange message, long timeout, TimeUnit unit) throws InterruptedException {
    if (timeout <= 0) {
      return offer(message);
    }
    if (!await(message, unit.toNanos(timeout))) {
      throw refused(message);
    }
    return true;
  }

  @Override
  public void put(Exchange message) throws InterruptedException {
    await(message, Long.MAX_VALUE);
  }

  private boolean await(Exchange message, long timeoutNanos) throws InterruptedException {
    long deadline = System.nanoTime() + timeoutNanos;
    long bytes = measure(message);
    if (!heap.add(bytes, timeoutNanos)) {
      return false;
    }
    boolean added = false;
    try {
      added = super.offer(message, deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    } finally {
      if (!added) {
        heap.remove(bytes);
      }
    }
    return added;
  }

  private IllegalStateException refused(Exchange message) {
    String reason =
        remainingCapacity() == 0 ? "Queue full: %d copies wait".formatted(capacity) : heap.full();
    return isAwaited(message)
        ? new IllegalStateException(reason)
        : CopyRefusedException.ofCopy(message, reason);
  }

  /** Returns the heap of a copy, and remembers it in the copy; 0 for other messages. */
  private long measure(Exchange message) {
    long bytes = isAwaited(message) ? 0 : MessageHeap.of(message, heap.limit());
    message.setProperty(BYTES, bytes);
    return bytes;
  }

  /** Whether the sender waits for the reply, as {@code SedaProducer} decides. */
  private static boolean isAwaited(Exchange message) {
    WaitForTaskToComplete wait =
        message.getProperty(Exchange.ASYNC_WAIT, WaitForTaskToComplete.class);
    String uri = message.getProperty(Exchange.TO_ENDPOINT, String.class);
    if (wait == null && uri != null) {
      if (message.getContext().hasEndpoint(uri) instanceof SedaEndpoint endpoint) {
        wait = endpoint.getWaitForTaskToComplete();
      } else if (uri.contains("waitForTaskToComplete=Always")) {
        // an endpoint that the step does not keep
        wait = WaitForTaskToComplete.Always;
      }
    }
    return wait == WaitForTaskToComplete.Always
        || wait != WaitForTaskToComplete.Never && message.getPattern().isOutCapable();
  }

  @Override
  public @Nullable Exchange poll() {
    return released(super.poll());
  }

  @Override
  public @Nullable Exchange poll(long timeout, TimeUnit unit) throws InterruptedException {
    return released(super.poll(timeout, unit));
  }

  @Override
  public Exchange take() throws InterruptedException {
    Exchange message = super.take();
    released(message);
    return message;
  }

  @Override
  public boolean remove(@Nullable Object message) {
    boolean removed = super.remove(message);
    if (removed && message instanceof Exchange exchange) {
      released(exchange);
    }
    return removed;
  }

  @Override
  public int drainTo(Collection<? super Exchange> target, int maxElements) {
    List<Exchange> drained = new ArrayList<>();
    super.drainTo(drained, maxElements);
    drained.forEach(this::released);
    target.addAll(drained);
    return drained.size();
  }

  @Override
  public int drainTo(Collection<? super Exchange> target) {
    return drainTo(target, Integer.MAX_VALUE);
  }

  @Override
  public void clear() {
    drainTo(new ArrayList<>());
  }

  private @Nullable Exchange released(@Nullable Exchange message) {
    if (message != null && message.removeProperty(BYTES) instanceof Long bytes) {
      heap.remove(bytes);
    }
    return message;
  }
}
