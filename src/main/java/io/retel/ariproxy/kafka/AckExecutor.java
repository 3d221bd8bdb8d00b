// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.FatalErrors;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.ThreadPoolProfile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Single-threaded executor that completes exchanges acknowledged by Kafka; for the endpoint option
 * {@code workerPool}.
 *
 * <p>Camel's own pool of ten threads wakes another thread for almost every acknowledgement, which
 * costs more than the work itself. This thread is woken once for all records that a broker
 * acknowledges together. It ends with the context.
 */
public final class AckExecutor extends AbstractExecutorService {

  private static final Logger LOG = LoggerFactory.getLogger(AckExecutor.class);

  private static final String THREAD_NAME = "kafka-ack";

  private final ExecutorService executor;
  private volatile @Nullable Thread thread;
  private volatile boolean failed;

  public AckExecutor(CamelContext context) {
    this.executor =
        context.getExecutorServiceManager().newThreadPool(this, THREAD_NAME, singleThread());
  }

  /**
   * With Camel's default profile, the producer's own thread would run what exceeds 1,000 queued
   * acknowledgments, out of order. Here, {@link InFlightLimiter} bounds the queue.
   */
  private static ThreadPoolProfile singleThread() {
    ThreadPoolProfile profile = new ThreadPoolProfile(THREAD_NAME);
    profile.setPoolSize(1);
    profile.setMaxPoolSize(1);
    profile.setKeepAliveTime(0L);
    profile.setAllowCoreThreadTimeOut(false);
    profile.setMaxQueueSize(Integer.MAX_VALUE);
    return profile;
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(
        () -> {
          thread = Thread.currentThread();
          task.run();
        });
  }

  /** Camel submits acknowledgments and ignores the result, and with it an error. */
  @Override
  protected <T> RunnableFuture<T> newTaskFor(Runnable acknowledgment, T value) {
    return new FutureTask<>(acknowledgment, value) {
      @Override
      protected void setException(Throwable error) {
        // the exchange of this acknowledgment never completes
        failed = true;
        FatalErrors.exitIfOutOfMemory(error);
        LOG.error("Acknowledgment failed, its record stays in flight; restart the proxy", error);
        super.setException(error);
      }
    };
  }

  /** Returns whether the caller runs on this thread. */
  public boolean isCurrentThread() {
    return Thread.currentThread() == thread;
  }

  /** Returns the name of the thread if an acknowledgment has failed. */
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
