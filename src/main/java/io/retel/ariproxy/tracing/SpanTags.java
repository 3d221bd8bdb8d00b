// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.PayloadMasker;
import org.apache.camel.Exchange;
import org.apache.camel.telemetry.Span;

/** Tags that identify a span's message, with the names used in the log. */
final class SpanTags {

  private SpanTags() {}

  static void put(Span span, Exchange exchange) {
    put(span, ExchangeContext.CALL_CONTEXT, exchange);
    put(span, ExchangeContext.COMMAND_ID, exchange);
    Resource resource = exchange.getProperty(ExchangeContext.RESOURCE, Resource.class);
    if (resource != null) {
      span.setTag(ExchangeContext.RESOURCE, PayloadMasker.maskedKey(resource));
    }
  }

  private static void put(Span span, String tag, Exchange exchange) {
    String value = exchange.getProperty(tag, String.class);
    if (value != null) {
      span.setTag(tag, value);
    }
  }
}
