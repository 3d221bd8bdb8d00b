// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import io.retel.ariproxy.error.ErrorMessages;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Components that have started; {@link #close} stops them in reverse order.
 *
 * <p>Thread-safe.
 */
final class StartedComponents implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(StartedComponents.class);

  private final Deque<AutoCloseable> started = new ArrayDeque<>();
  private final CountDownLatch closed = new CountDownLatch(1);

  /**
   * Starts a component.
   *
   * @throws IllegalStateException if closed
   */
  synchronized <T extends AutoCloseable> T start(Supplier<T> factory) {
    if (isClosed()) {
      throw new IllegalStateException("Stopped during startup");
    }
    T component = factory.get();
    started.push(component);
    return component;
  }

  /**
   * Registers an action that runs in {@link #close}, before the components started earlier stop.
   */
  synchronized void onClose(AutoCloseable action) {
    start(() -> action);
  }

  /** Rejects further starts; components already started run until the process exits. */
  void stopStarting() {
    closed.countDown();
  }

  boolean isClosed() {
    return closed.getCount() == 0;
  }

  /** Waits until {@link #close} is called. */
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
        LOG.warn("{} failed to stop: {}", component, ErrorMessages.singleLine(e));
        LOG.debug("Failed to stop", e);
      }
    }
  }
}
