// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Supplier;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.jspecify.annotations.Nullable;

/**
 * A record to publish, and the exchange that publishes it.
 *
 * @param key its key, or null
 * @param size the size of its value in bytes, approximately
 * @param value builds its value, when it is sent: that of an event of many calls can have megabytes
 */
public record OutgoingRecord(@Nullable String key, int size, Supplier<byte[]> value) {

  /**
   * Exchange property that marks an unmapped event; in a route {@code
   * ${exchangeProperty.unmapped}}.
   */
  public static final String UNMAPPED = "unmapped";

  /** Exchange property with the record's key; a step of a user can remove the header. */
  private static final String KEY = "AriProxyRecordKey";

  /** Exchange property with further records of the same message. */
  private static final String COPIES = "copies";

  /** Exchange property with what to run when the record counts as in flight. */
  private static final String ON_IN_FLIGHT = "onInFlight";

  /**
   * Turns the exchange's message into a record: sets key and value and removes all earlier headers,
   * and the charset of an earlier body, since a record is in UTF-8.
   *
   * @param key the record's key, or null
   * @param value the record's value
   * @param unmapped whether the record belongs to the topic of unmapped events
   */
  public static void prepare(
      Exchange exchange, @Nullable String key, byte[] value, boolean unmapped) {
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    exchange.removeProperty(ExchangePropertyKey.CHARSET_NAME);
    exchange.setProperty(KEY, new RecordKey(key));
    setKey(exchange);
    message.setBody(value);
    exchange.setProperty(UNMAPPED, unmapped);
  }

  /** Sets the key again: without it, the events of a call would get into several partitions. */
  static void setKey(Exchange exchange) {
    if (exchange.getProperty(KEY) instanceof RecordKey key) {
      Message message = exchange.getMessage();
      message.removeHeader(KafkaConstants.PARTITION_KEY);
      if (key.value == null) {
        message.removeHeader(KafkaConstants.KEY);
      } else {
        message.setHeader(KafkaConstants.KEY, key.value);
      }
    }
  }

  /**
   * Returns the value of the exchange's record, also if a step of a user has set it as text.
   *
   * @throws IllegalStateException if a step has removed it, or replaced it with something else,
   *     such as the result of a request
   */
  static byte[] value(Exchange exchange) {
    Message message = exchange.getMessage();
    Object body = message.getBody();
    if (body instanceof String text) {
      byte[] value = text.getBytes(StandardCharsets.UTF_8);
      message.setBody(value);
      return value;
    }
    if (body instanceof byte[] value) {
      return value;
    }
    throw replacedWith(body == null ? "nothing" : body.getClass().getSimpleName());
  }

  static IllegalStateException replacedWith(String replacement) {
    return new IllegalStateException(
        "a step has replaced the record with "
            + replacement
            + "; use variableReceive in steps that return something");
  }

  static boolean isUnmapped(Exchange exchange) {
    return Boolean.TRUE.equals(exchange.getProperty(UNMAPPED));
  }

  /**
   * Removes the exchange's variables, such as answers of services: it lives until Kafka
   * acknowledges the record, and {@code kafka.max-in-flight-bytes} limits records only.
   */
  static void releaseVariables(Exchange exchange) {
    if (exchange.hasVariables()) {
      exchange.getVariables().clear();
    }
  }

  /** Not a record, whose text a tracer would show. */
  private static final class RecordKey {

    private final @Nullable String value;

    RecordKey(@Nullable String value) {
      this.value = value;
    }
  }

  /** Sets what to run, once, when the {@link InFlightLimiter} has counted the record. */
  public static void onInFlight(Exchange exchange, Runnable action) {
    exchange.setProperty(ON_IN_FLIGHT, action);
  }

  static void inFlight(Exchange exchange) {
    if (exchange.removeProperty(ON_IN_FLIGHT) instanceof Runnable action) {
      action.run();
    }
  }

  /** Returns the size of the exchange's record in bytes, of the largest one if it has copies. */
  public static int size(Exchange exchange) {
    byte[] body = exchange.getMessage().getBody(byte[].class);
    return copies(exchange).stream()
        .mapToInt(OutgoingRecord::size)
        .reduce(body == null ? 0 : body.length, Math::max);
  }

  /** Adds further records to the exchange's message; {@link AddCopies} publishes them. */
  public static void prepareCopies(Exchange exchange, List<OutgoingRecord> copies) {
    exchange.setProperty(COPIES, copies);
  }

  /** Returns the further records of the exchange's message. */
  @SuppressWarnings("unchecked")
  static List<OutgoingRecord> copies(Exchange exchange) {
    List<OutgoingRecord> copies = exchange.getProperty(COPIES, List.class);
    return copies == null ? List.of() : copies;
  }
}
