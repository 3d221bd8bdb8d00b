package io.retel.ariproxy.kafka;

import org.apache.camel.component.kafka.consumer.CommitManager;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;

/**
 * Makes Camel's manual commit a mark: the offset is answered, and {@link CommandConsumer} commits
 * it on its own thread when all before it are answered too.
 */
public final class DeferredCommitFactory implements KafkaManualCommitFactory {

  @Override
  public CommandHandle newInstance(
      CamelExchangePayload exchange, KafkaRecordPayload record, CommitManager commitManager) {
    CommandConsumer consumer = (CommandConsumer) exchange.consumer;
    return consumer.handle(record.partition, record.recordOffset);
  }
}
