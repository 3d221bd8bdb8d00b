// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the additional route files before the proxy consumes, so that they see every message.
 *
 * <p>On its own thread, after the start of the context and the earlier preconditions of {@link
 * StartupGate}: a route's own Kafka client must not connect to what is not Kafka.
 */
final class AdditionalRoutes implements StartupListener {

  private static final Logger LOG = LoggerFactory.getLogger(AdditionalRoutes.class);

  /** After it, a line and the health check name the reason. */
  private static final Duration MAX_LOADING = Duration.ofSeconds(40);

  /** For a reason that changes: of the next file. */
  private static final Duration UPDATE_INTERVAL = Duration.ofSeconds(5);

  private final Duration maxLoading;
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch loaded = new CountDownLatch(1);
  private volatile Runnable load = () -> {};
  private volatile Supplier<Optional<String>> current = Optional::empty;
  private boolean loading;
  private boolean delayed;

  AdditionalRoutes() {
    this(MAX_LOADING);
  }

  AdditionalRoutes(Duration maxLoading) {
    this.maxLoading = maxLoading;
  }

  /**
   * Installs the action that loads the files.
   *
   * @param load skips a file that does not load
   * @param current returns the file or class that is being loaded
   */
  void loadOnStart(CamelContext context, Runnable load, Supplier<Optional<String>> current) {
    this.load = load;
    this.current = current;
    try {
      context.addStartupListener(this);
    } catch (Exception e) {
      throw RuntimeCamelException.wrapRuntimeCamelException(e);
    }
  }

  @Override
  public void onCamelContextStarted(CamelContext context, boolean alreadyStarted) {
    // routes are added to a context that has started completely
  }

  @Override
  public void onCamelContextFullyStarted(CamelContext context, boolean alreadyStarted) {
    started.countDown();
  }

  private void load() {
    try {
      load.run();
    } finally {
      loaded.countDown();
    }
  }

  /**
   * Has the files loaded, and waits for it; a precondition for consuming. Called by one thread.
   *
   * @throws IllegalStateException names what takes too long; wait again
   */
  void await() throws InterruptedException {
    started.await();
    if (!loading) {
      loading = true;
      Thread loader = new Thread(this::load, "additional-routes");
      loader.setDaemon(true);
      loader.start();
    }
    Duration limit = delayed ? UPDATE_INTERVAL : maxLoading;
    if (loaded.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      return;
    }
    String name = current.get().orElse("a route");
    if (!delayed) {
      delayed = true;
      LOG.error(
          "Additional routes still load after {} s, and the proxy consumes nothing before that ends: {}"
              + " blocks its start",
          maxLoading.toSeconds(),
          name);
    }
    throw new IllegalStateException("Additional routes still load: " + name + " blocks its start");
  }
}
