// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.timer;

import java.util.concurrent.ScheduledExecutorService;
import org.apache.camel.CamelContext;
import org.apache.camel.ExtendedCamelContext;

/** The thread {@code timer} of a context, for periodic checks that do not block. */
public final class SharedTimer {

  private final ScheduledExecutorService executor;

  private SharedTimer(ScheduledExecutorService executor) {
    this.executor = executor;
  }

  /** Returns the timer of a context. It ends with the context. */
  public static ScheduledExecutorService of(CamelContext context) {
    ExtendedCamelContext extension = context.getCamelContextExtension();
    synchronized (extension) {
      SharedTimer timer = extension.getContextPlugin(SharedTimer.class);
      if (timer == null || timer.executor.isShutdown()) {
        timer =
            new SharedTimer(
                context
                    .getExecutorServiceManager()
                    .newSingleThreadScheduledExecutor(SharedTimer.class, "timer"));
        extension.addContextPlugin(SharedTimer.class, timer);
      }
      return timer.executor;
    }
  }
}
