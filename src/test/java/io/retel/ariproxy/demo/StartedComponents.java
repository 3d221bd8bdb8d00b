package io.retel.ariproxy.demo;

import io.retel.ariproxy.ErrorMessages;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started, and is stopped in the reverse order by whoever comes first. */
final class StartedComponents implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StartedComponents.class);

  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  /** Starts a part, unless it is too late for it. */
  synchronized <T extends AutoCloseable> T start(Supplier<T> factory) {
    if (isClosed()) {
      throw new IllegalStateException("Stopped while starting");
    }
    T component = factory.get();
    started.push(component);
    return component;
  }

  /** Has something done between the stops of two parts. */
  synchronized void onClose(AutoCloseable action) {
    start(() -> action);
  }

  /** Starts no more parts; those that were started go on until the process ends. */
  void stopStarting() {
    closed.countDown();
  }

  boolean isClosed() {
    return closed.getCount() == 0;
  }

  /** Waits until somebody closes. */
  void awaitClose() throws InterruptedException {
    closed.await();
  }

  @Override
  public synchronized void close() {
    closed.countDown();
    while (!started.isEmpty()) {
      AutoCloseable component = started.pop();
      try {
        component.close();
      } catch (Exception e) {
        LOG.warn("{} does not stop: {}", component, ErrorMessages.singleLine(e));
        LOG.debug("It does not stop", e);
      }
    }
  }
}
