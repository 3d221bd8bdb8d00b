// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.timer.PeriodicCheck;
import org.apache.camel.CamelContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replaces producers that no longer publish, on its own thread, which waits for Kafka. */
public final class ProducerRecovery extends PeriodicCheck {

  private static final Logger LOG = LoggerFactory.getLogger(ProducerRecovery.class);

  private final ProxyKafkaClientFactory clients;

  public ProducerRecovery(CamelContext context, ProxyKafkaClientFactory clients) {
    super(context, "kafka-producer-recovery");
    this.clients = clients;
  }

  @Override
  protected void check() {
    for (RecoveringProducer producer : clients.producers()) {
      try {
        producer.recover();
      } catch (RuntimeException e) {
        LOG.warn("Replacing a producer failed, retrying: {}", ErrorMessages.singleLine(e));
      }
    }
  }
}
