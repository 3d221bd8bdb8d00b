// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.jspecify.annotations.Nullable;

/**
 * Single-threaded executor that completes exchanges acknowledged by Kafka; for the endpoint option
 * {@code workerPool}.
 *
 * <p>Camel's own pool of ten threads wakes another thread for almost every acknowledgement, which
 * costs more than the work itself. This thread is woken once for all records that a broker
 * acknowledges together. It ends with the context.
 */
public final class AckExecutor extends AbstractExecutorService {

  private static final String THREAD_NAME = "kafka-ack";

  private final ExecutorService executor;
  private volatile @Nullable Thread thread;
  private volatile boolean failed;

  public AckExecutor(CamelContext context) {
    this.executor = context.getExecutorServiceManager().newSingleThreadExecutor(this, THREAD_NAME);
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(
        () -> {
          thread = Thread.currentThread();
          try {
            task.run();
          } catch (Throwable e) {
            // the exchange of this acknowledgment never completes
            failed = true;
            throw e;
          }
        });
  }

  /** Returns whether the caller runs on this thread. */
  public boolean isCurrentThread() {
    return Thread.currentThread() == thread;
  }

  /** Returns the name of the thread if an acknowledgment has ended it. */
  public Optional<String> endedThread() {
    return failed ? Optional.of(THREAD_NAME) : Optional.empty();
  }

  @Override
  public void shutdown() {
    executor.shutdown();
  }

  @Override
  public List<Runnable> shutdownNow() {
    return executor.shutdownNow();
  }

  @Override
  public boolean isShutdown() {
    return executor.isShutdown();
  }

  @Override
  public boolean isTerminated() {
    return executor.isTerminated();
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
    return executor.awaitTermination(timeout, unit);
  }
}
