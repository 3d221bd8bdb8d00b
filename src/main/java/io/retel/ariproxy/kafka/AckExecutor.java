package io.retel.ariproxy.kafka;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;

/**
 * The one thread on which exchanges go on when Kafka has acknowledged their message; for the option
 * {@code workerPool} of an endpoint.
 *
 * <p>Camel's own pool of ten wakes another thread for almost each acknowledgement, which costs more
 * than all that is done there. One thread is woken once for all that a broker acknowledges at once.
 * It ends with the context.
 */
public final class AckExecutor extends AbstractExecutorService {

  private final ExecutorService executor;
  private volatile Thread thread;

  public AckExecutor(CamelContext context) {
    this.executor = context.getExecutorServiceManager().newSingleThreadExecutor(this, "kafka-ack");
  }

  @Override
  public void execute(Runnable task) {
    executor.execute(
        () -> {
          thread = Thread.currentThread();
          task.run();
        });
  }

  /** Whether the caller is that thread. */
  public boolean isCurrentThread() {
    return Thread.currentThread() == thread;
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
