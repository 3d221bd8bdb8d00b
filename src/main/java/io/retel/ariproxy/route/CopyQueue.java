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
 * A queue of {@code seda} whose copies are limited by their heap as well, and reported if they are
 * dropped. A message whose sender waits for the reply is not counted: a sender waits for one at a
 * time, and gets an error. Thread-safe.
 */
final class CopyQueue extends LinkedBlockingQueue<Exchange> {

  private static final long serialVersionUID = 1L;

  /** Exchange property with the heap of a copy that waits: its body can change later. */
  private static final String BYTES = "AriProxyQueuedBytes";

  private final int capacity;
  private final transient CopyHeap heap;
  private final transient DroppedCopies dropped;

  CopyQueue(int capacity, CopyHeap heap, DroppedCopies dropped) {
    super(capacity);
    this.capacity = capacity;
    this.heap = heap;
    this.dropped = dropped;
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
    CopySource.of(message).ifPresent(CopySource::setOffered);
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

  /**
   * Unlike other queues, throws after a timeout. Without one it returns false, and the step of
   * {@code seda} then discards the copy without an error.
   */
  @Override
  public boolean offer(Exchange message, long timeout, TimeUnit unit) throws InterruptedException {
    if (timeout <= 0) {
      boolean added = offer(message);
      if (!added && !isAwaited(message)) {
        dropped.reportDiscarded(message, reason());
      }
      return added;
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
    CopySource.of(message).ifPresent(CopySource::setOffered);
    try {
      return awaitPlace(message, timeoutNanos);
    } catch (InterruptedException e) {
      // the step of seda continues without an error
      if (!isAwaited(message)) {
        dropped.report(message, "Interrupted while the queue was full");
      }
      throw e;
    }
  }

  private boolean awaitPlace(Exchange message, long timeoutNanos) throws InterruptedException {
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
    String reason = reason();
    return isAwaited(message)
        ? new IllegalStateException(reason)
        : CopyRefusedException.ofCopy(message, reason);
  }

  private String reason() {
    return remainingCapacity() == 0
        ? "Queue full: %d copies wait".formatted(capacity)
        : heap.full();
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

  /** Called at the stop of a route with {@code purgeWhenStopping}, and by operators. */
  @Override
  public void clear() {
    drop(true);
  }

  /** Drops the copies that wait, and reports them as lost. */
  void drop() {
    drop(false);
  }

  private void drop(boolean discarded) {
    List<Exchange> copies = new ArrayList<>();
    super.drainTo(copies, Integer.MAX_VALUE);
    dropped.reportWaiting(copies.stream().filter(copy -> heapOf(copy) > 0).toList(), discarded);
    copies.forEach(this::released);
  }

  /** Returns the heap of a copy that waits; 0 for a message whose sender waits. */
  private static long heapOf(Exchange message) {
    return message.getProperty(BYTES, 0L, long.class);
  }

  private @Nullable Exchange released(@Nullable Exchange message) {
    if (message != null && message.removeProperty(BYTES) instanceof Long bytes) {
      heap.remove(bytes);
    }
    return message;
  }
}
