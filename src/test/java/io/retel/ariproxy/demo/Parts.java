package io.retel.ariproxy.demo;

import io.retel.ariproxy.RootCause;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What has been started, and is stopped in the reverse order by whoever comes first. */
final class Parts implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Parts.class);

  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  /** Starts a part, unless it is too late for it. */
  synchronized <T extends AutoCloseable> T start(Supplier<T> starting) {
    if (isClosed()) {
      throw new IllegalStateException("Stopped while starting");
    }
    T part = starting.get();
    started.push(part);
    return part;
  }

  /** Has something done between the stops of two parts. */
  synchronized void onClose(AutoCloseable work) {
    start(() -> work);
  }

  /** Starts no more parts; those that were started go on until the process ends. */
  void abandon() {
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
      AutoCloseable part = started.pop();
      try {
        part.close();
      } catch (Exception e) {
        LOG.warn("{} does not stop: {}", part, RootCause.inOneLine(e));
        LOG.debug("It does not stop", e);
      }
    }
  }
}
