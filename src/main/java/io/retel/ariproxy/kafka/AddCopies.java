// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.support.DefaultMessage;
import org.jspecify.annotations.Nullable;

/**
 * Sets the record's key again, and adds the copies of an event that concerns several calls ({@link
 * OutgoingRecord#prepareCopies}). Fails if a step has removed the record. No variables remain.
 *
 * <p>The message remains one: Camel's Kafka component sends a record for each element of its body,
 * in order, and completes the exchange when Kafka has acknowledged all of them.
 */
public final class AddCopies implements Processor {

  @Override
  public void process(Exchange exchange) {
    OutgoingRecord.setKey(exchange);
    // nothing would be published as a deletion
    OutgoingRecord.value(exchange);
    OutgoingRecord.releaseVariables(exchange);
    List<OutgoingRecord> copies = OutgoingRecord.copies(exchange);
    if (!copies.isEmpty()) {
      Message message = exchange.getMessage();
      message.setBody(new Records(message, message.getBody(), copies));
    }
  }

  /**
   * A message's records. They have its headers at the time of sending, which can be added later. A
   * Java record, so that the heap of its components is counted.
   */
  private record Records(Message message, Object value, List<OutgoingRecord> copies)
      implements Iterable<Message> {

    @Override
    public Iterator<Message> iterator() {
      return Stream.concat(
              Stream.of(record(message.getHeader(KafkaConstants.KEY), value)),
              copies.stream().map(copy -> record(copy.key(), copy.value().get())))
          .iterator();
    }

    private Message record(@Nullable Object key, Object recordValue) {
      Message record = new DefaultMessage(message.getExchange().getContext());
      record.setHeaders(new HashMap<>(message.getHeaders()));
      record.setHeader(KafkaConstants.KEY, key);
      record.setBody(recordValue);
      return record;
    }

    /** A tracer shows it. */
    @Override
    public String toString() {
      return "Records";
    }
  }
}
