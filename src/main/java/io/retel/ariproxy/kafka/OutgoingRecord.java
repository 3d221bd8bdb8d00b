package io.retel.ariproxy.kafka;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;

/** How a message is handed to the publishing route. */
public final class OutgoingRecord {

  /**
   * The exchange property that tells an unmapped event: in a route, {@code
   * ${exchangeProperty.unmapped}}.
   */
  public static final String UNMAPPED = "unmapped";

  private OutgoingRecord() {}

  /**
   * Makes the exchange's message a record: its key, its value and no header that was there before.
   *
   * @param key the record's key, or null
   * @param value the record's value
   * @param unmapped whether it goes to the topic of unmapped events
   */
  public static void prepare(Exchange exchange, String key, byte[] value, boolean unmapped) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    if (key != null) {
      message.setHeader(KafkaConstants.KEY, key);
    }
    message.setBody(value);
    exchange.setProperty(UNMAPPED, unmapped);
  }
}
