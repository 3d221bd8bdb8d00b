// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import com.sun.management.ThreadMXBean;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.metrics.Meters;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class GaugesTest {

  /** A million mappings are read by each scrape. */
  @Test
  void numberOfCallsIsReadWithoutCollectingThem() {
    MeterRegistry meters = new SimpleMeterRegistry();
    CallContexts callContexts =
        new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.systemTicker());
    Gauges gauges = new Gauges(meters);
    gauges.bindCallContexts(callContexts, WriteBehind.noop(meters));
    for (int i = 0; i < 10_000; i++) {
      callContexts.move(new Resource(ResourceType.CHANNEL, "channel-" + i), "call-" + i);
    }
    Gauge calls = meters.get(Meters.CALL_CONTEXTS.meterName()).gauge();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    double value = 0;
    long allocated = 0;
    for (int i = 0; i < 10; i++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      value = calls.value();
      allocated = threads.getCurrentThreadAllocatedBytes() - before;
    }
    assertThat(value).isEqualTo(10_000);
    assertThat(allocated).isLessThan(10_000);
  }
}
