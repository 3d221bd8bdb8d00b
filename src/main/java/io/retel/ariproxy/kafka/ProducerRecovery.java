// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replaces producers that no longer publish.
 *
 * <p>Checks once a second on its own thread, which waits for Kafka.
 */
public final class ProducerRecovery extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(ProducerRecovery.class);

  private static final Duration CHECK_INTERVAL = Duration.ofSeconds(1);

  private final CamelContext context;
  private final ProxyKafkaClientFactory clients;
  private @Nullable ScheduledExecutorService timer;

  public ProducerRecovery(CamelContext context, ProxyKafkaClientFactory clients) {
    this.context = context;
    this.clients = clients;
  }

  @Override
  protected void doStart() {
    ScheduledExecutorService started =
        context
            .getExecutorServiceManager()
            .newSingleThreadScheduledExecutor(this, "kafka-producer-recovery");
    long interval = CHECK_INTERVAL.toMillis();
    started.scheduleWithFixedDelay(
        FatalErrors.continuing(this::recover), interval, interval, TimeUnit.MILLISECONDS);
    timer = started;
  }

  @Override
  protected void doStop() {
    if (timer != null) {
      context.getExecutorServiceManager().shutdownNow(timer);
    }
  }

  private void recover() {
    for (RecoveringProducer producer : clients.producers()) {
      try {
        producer.recover();
      } catch (RuntimeException e) {
        LOG.warn("Replacing a producer failed, retrying: {}", ErrorMessages.singleLine(e));
      }
    }
  }
}
