// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandProperties;
import io.retel.ariproxy.logging.PayloadMasker;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.telemetry.Span;
import org.apache.camel.telemetry.decorators.HttpSpanDecorator;
import org.apache.camel.telemetry.decorators.HttpsSpanDecorator;

/** Span of a request to Asterisk, named after ARI's operation. */
public final class AriSpanDecorator extends HttpSpanDecorator {

  @Override
  public String getOperationName(Exchange exchange, Endpoint endpoint) {
    return operation(exchange, super.getOperationName(exchange, endpoint));
  }

  @Override
  protected String getHttpURL(Exchange exchange, Endpoint endpoint) {
    return url(exchange, endpoint);
  }

  @Override
  public void afterTracingEvent(Span span, Exchange exchange) {
    super.afterTracingEvent(span, exchange);
    SpanTags.put(span, exchange);
  }

  /** The same over HTTPS. */
  public static final class Https extends HttpsSpanDecorator {

    @Override
    public String getOperationName(Exchange exchange, Endpoint endpoint) {
      return operation(exchange, super.getOperationName(exchange, endpoint));
    }

    @Override
    protected String getHttpURL(Exchange exchange, Endpoint endpoint) {
      return url(exchange, endpoint);
    }

    @Override
    public void afterTracingEvent(Span span, Exchange exchange) {
      super.afterTracingEvent(span, exchange);
      SpanTags.put(span, exchange);
    }
  }

  private static String operation(Exchange exchange, String defaultName) {
    return CommandProperties.command(exchange) instanceof Command.Accepted command
        ? clipMaxLength(PayloadMasker.maskPath(command.operation()))
        : defaultName;
  }

  /** Returns the URL without its query, which can contain numbers. */
  private static String url(Exchange exchange, Endpoint endpoint) {
    String base = endpoint.getEndpointBaseUri();
    String path = exchange.getMessage().getHeader(Exchange.HTTP_PATH, String.class);
    return path == null ? base : base + PayloadMasker.maskPath(path);
  }
}
