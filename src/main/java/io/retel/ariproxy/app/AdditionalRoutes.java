// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.StartupListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the additional route files before the proxy consumes, so that they see every message.
 *
 * <p>On its own thread, since the context has to complete its start before.
 */
final class AdditionalRoutes implements StartupListener {

  private static final Logger LOG = LoggerFactory.getLogger(AdditionalRoutes.class);

  /** After it, a line names the reason. */
  private static final Duration MAX_LOADING = Duration.ofSeconds(40);

  private final Duration maxLoading;
  private final CountDownLatch started = new CountDownLatch(1);
  private final CountDownLatch loaded = new CountDownLatch(1);
  private volatile Runnable load = () -> {};

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
   */
  void loadOnStart(CamelContext context, Runnable load) {
    this.load = load;
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
    Thread loader = new Thread(this::load, "additional-routes");
    loader.setDaemon(true);
    loader.start();
    started.countDown();
  }

  private void load() {
    try {
      load.run();
    } finally {
      loaded.countDown();
    }
  }

  /** Waits until the files are loaded; the precondition for consuming. */
  void await() throws InterruptedException {
    started.await();
    if (!loaded.await(maxLoading.toNanos(), TimeUnit.NANOSECONDS)) {
      LOG.error(
          "Additional routes still load after {} s, and the proxy consumes nothing before that ends: check"
              + " for a route that blocks its start",
          maxLoading.toSeconds());
      loaded.await();
    }
  }
}
