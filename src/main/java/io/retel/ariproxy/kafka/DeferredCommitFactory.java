// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import org.apache.camel.component.kafka.consumer.CommitManager;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;

/**
 * Factory of Camel manual commits that only mark an offset as completed.
 *
 * <p>{@link CommandConsumer} commits the offset on its own thread once all earlier ones are
 * completed.
 */
public final class DeferredCommitFactory implements KafkaManualCommitFactory {

  @Override
  public CommandHandle newInstance(
      CamelExchangePayload exchange, KafkaRecordPayload record, CommitManager commitManager) {
    CommandConsumer consumer = (CommandConsumer) exchange.consumer;
    return consumer.handle(record.partition, record.recordOffset);
  }
}
