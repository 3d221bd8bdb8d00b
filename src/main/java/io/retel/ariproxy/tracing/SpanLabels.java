package io.retel.ariproxy.tracing;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.logging.AtWork;
import io.retel.ariproxy.logging.Mask;
import io.retel.ariproxy.logging.Shortened;
import org.apache.camel.Exchange;
import org.apache.camel.telemetry.Span;

/** Says on a span whose message it is about, in the words of the log. */
final class SpanLabels {

  private SpanLabels() {}

  static void put(Span span, Exchange exchange) {
    put(span, AtWork.CALL_CONTEXT, exchange);
    put(span, AtWork.COMMAND_ID, exchange);
    Resource resource = exchange.getProperty(AtWork.RESOURCE, Resource.class);
    if (resource != null) {
      span.setTag(AtWork.RESOURCE, Mask.key(resource));
    }
  }

  private static void put(Span span, String label, Exchange exchange) {
    String value = exchange.getProperty(label, String.class);
    if (value != null) {
      span.setTag(label, Shortened.text(value));
    }
  }
}
