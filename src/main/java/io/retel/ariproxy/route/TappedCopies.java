// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.FatalErrors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.processor.WireTapProcessor;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.jspecify.annotations.Nullable;

/** The copies that a {@code wireTap} step of an author makes and sends. Thread-safe. */
final class TappedCopies {

  /** Exchange property of a copy with its heap. */
  private static final String BYTES = "AriProxyTappedBytes";

  private final StepWatch step;

  /** Of copies that are not sent yet. */
  private final CopyHeap heap;

  /** Number of copies that no thread sends yet. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Whether a copy is discarded without an error if no route reads its queue. */
  private volatile boolean discards;

  TappedCopies(StepWatch step, CopyHeap heap) {
    this.step = step;
    this.heap = heap;
  }

  /** Whether a message is a copy that a {@code wireTap} sends. */
  static boolean isOne(Exchange message) {
    return message.getProperty(BYTES) != null;
  }

  /**
   * Returns the step within its limits. In a shipped route, its message continues if no copy is
   * made.
   *
   * @param ownThreads whether the threads end with the route, without sending what waits
   */
  Processor limited(Processor target, WireTapProcessor tap, boolean ownThreads) {
    discards = StepKinds.tapsWithoutConsumer(tap);
    return new DelegateAsyncProcessor(target) {
      @Override
      public boolean process(Exchange exchange, AsyncCallback callback) {
        // without a copy, the message that is sent is empty
        long bytes = tap.isCopy() ? MessageHeap.of(exchange, heap.limit()) : 0;
        if (heap.tryAdd(bytes)) {
          copy(exchange, bytes);
        } else {
          exchange.setException(CopyRefusedException.of(exchange, heap.full()));
        }
        Exception error = exchange.getException();
        if (error != null && step.isInShippedRoute()) {
          exchange.setException(null);
          step.reportCopy(error);
        }
        callback.done(true);
        return true;
      }

      private void copy(Exchange exchange, long bytes) {
        // the message can be a copy of another step
        Object outer = exchange.getProperty(BYTES);
        exchange.setProperty(BYTES, bytes);
        waiting.incrementAndGet();
        try {
          super.process(exchange, doneSync -> {});
        } catch (RuntimeException e) {
          // the route is being stopped
          exchange.setException(e);
        }
        exchange.setProperty(BYTES, outer);
        Exception error = exchange.getException();
        if (error != null) {
          // no thread will send it
          int others = waiting.decrementAndGet();
          heap.remove(bytes);
          if (error instanceof RejectedExecutionException) {
            exchange.setException(
                CopyRefusedException.of(exchange, "Queue full: %d copies wait".formatted(others)));
          }
        }
      }

      @Override
      protected void doShutdown() throws Exception {
        super.doShutdown();
        int dropped = ownThreads ? waiting.getAndSet(0) : 0;
        if (dropped > 0) {
          step.reportDropped(dropped);
        }
      }
    };
  }

  /** Returns what sends a copy, and counts it if that fails. */
  Processor sending(Processor sender) {
    return new DelegateAsyncProcessor(sender) {
      @Override
      public boolean process(Exchange copy, AsyncCallback callback) {
        waiting.decrementAndGet();
        if (!isOne(copy)) {
          // with copy: false
          copy.setProperty(BYTES, 0L);
          new CopySource(step).enter(copy);
        }
        long bytes = copy.getProperty(BYTES, 0L, long.class);
        Object failedBefore = copy.getProperty(AddedSteps.FAILED_STEP);
        AtomicBoolean ended = new AtomicBoolean();
        try {
          return super.process(
              copy,
              doneSync -> {
                ended.set(true);
                onSent(copy, bytes, failedBefore);
                callback.done(doneSync);
              });
        } catch (Throwable e) {
          // Camel calls back after exceptions only
          if (!ended.compareAndSet(false, true)) {
            throw e;
          }
          FatalErrors.exitIfOutOfMemory(e);
          copy.setException(e);
          onSent(copy, bytes, failedBefore);
          callback.done(true);
          return true;
        }
      }
    };
  }

  private void onSent(Exchange copy, long bytes, @Nullable Object failedBefore) {
    heap.remove(bytes);
    Exception error = copy.getException();
    // otherwise a step of another route has failed, and is counted
    if (error != null && copy.getProperty(AddedSteps.FAILED_STEP) == failedBefore) {
      step.reportCopy(error);
    } else if (error == null && discards) {
      CopySource.of(copy).ifPresent(step::reportUnlessOffered);
    }
  }
}
