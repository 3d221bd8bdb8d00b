// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.retel.ariproxy.logging.PayloadMasker;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.telemetry.Span;
import org.apache.camel.telemetry.SpanContextPropagationExtractor;
import org.apache.camel.telemetry.decorators.KafkaSpanDecorator;
import org.apache.camel.telemetry.propagation.CamelHeadersSpanContextPropagationExtractor;

/**
 * Span of a consumed or published record. Extracts the trace context from byte array headers, which
 * Camel (4.18.0) ignores.
 *
 * <p>Runs before the first step of the route, and so before a command's headers are removed.
 */
public final class KafkaRecordSpanDecorator extends KafkaSpanDecorator {

  /** Longer than any trace context. */
  private static final int MAX_HEADER_BYTES = 1_024;

  @Override
  public SpanContextPropagationExtractor getExtractor(Exchange exchange) {
    Map<String, Object> textHeaders = new HashMap<>();
    exchange
        .getMessage()
        .getHeaders()
        .forEach(
            (name, value) -> {
              if (value instanceof byte[] bytes && bytes.length <= MAX_HEADER_BYTES) {
                textHeaders.put(name, new String(bytes, StandardCharsets.UTF_8));
              }
            });
    return new CamelHeadersSpanContextPropagationExtractor(textHeaders);
  }

  /** Hides the keys: that of an event without a call context is the address of an endpoint. */
  @Override
  public void beforeTracingEvent(Span span, Exchange exchange, Endpoint endpoint) {
    super.beforeTracingEvent(span, exchange, endpoint);
    hide(span, KAFKA_KEY_TAG, exchange, KafkaConstants.KEY);
    hide(span, KAFKA_PARTITION_KEY_TAG, exchange, KafkaConstants.PARTITION_KEY);
  }

  private static void hide(Span span, String tag, Exchange exchange, String header) {
    if (exchange.getMessage().getHeader(header) != null) {
      span.setTag(tag, PayloadMasker.MASKED);
    }
  }

  @Override
  public void afterTracingEvent(Span span, Exchange exchange) {
    super.afterTracingEvent(span, exchange);
    SpanTags.put(span, exchange);
  }
}
