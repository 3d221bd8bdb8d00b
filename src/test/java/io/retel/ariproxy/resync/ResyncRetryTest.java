// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;

class ResyncRetryTest {

  /** Camel waits for its scheduled tasks, so a pending retry must be cancelled. */
  @Test
  void stopDoesNotWaitForScheduledResync() {
    DefaultCamelContext context = new DefaultCamelContext();
    context
        .getExecutorServiceManager()
        .setShutdownAwaitTermination(DefaultTimeout.DURATION.toMillis());
    context.start();
    AtomicInteger resyncs = new AtomicInteger();
    new ResyncRetry(context, resyncs::incrementAndGet).schedule();

    context.stop();

    assertThat(resyncs).hasValue(0);
  }
}
