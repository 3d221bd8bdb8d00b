// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.jspecify.annotations.Nullable;

/** Prepares messages for the publishing route. */
public final class OutgoingRecord {

  /**
   * Exchange property that marks an unmapped event; in a route {@code
   * ${exchangeProperty.unmapped}}.
   */
  public static final String UNMAPPED = "unmapped";

  private OutgoingRecord() {}

  /**
   * Turns the exchange's message into a record: sets key and value and removes all earlier headers.
   *
   * @param key the record's key, or null
   * @param value the record's value
   * @param unmapped whether the record belongs to the topic of unmapped events
   */
  public static void prepare(
      Exchange exchange, @Nullable String key, byte[] value, boolean unmapped) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    if (key != null) {
      message.setHeader(KafkaConstants.KEY, key);
    }
    message.setBody(value);
    exchange.setProperty(UNMAPPED, unmapped);
  }
}
