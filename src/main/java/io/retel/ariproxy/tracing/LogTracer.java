// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.LogLevels;
import io.retel.ariproxy.logging.PayloadMasker;
import java.util.Map;
import java.util.TreeMap;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.NamedNode;
import org.apache.camel.NamedRoute;
import org.apache.camel.Predicate;
import org.apache.camel.impl.engine.DefaultTracer;
import org.apache.camel.spi.BacklogTracer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Camel's log tracer with filter, log context and masking.
 *
 * <p>Applies the backlog tracer's filter, so one call can be followed. Does not read streams. Camel
 * finds it as a bean in the registry. Thread-safe.
 */
public final class LogTracer extends DefaultTracer {

  private static final Logger LOG = LoggerFactory.getLogger(LogLevels.TRACER);
  private static final int MAX_LENGTH = 10_000;

  private final PayloadMasker masker;
  private volatile Filter filter = new Filter("", exchange -> true);

  /** The filter as configured and as a predicate. */
  private record Filter(String text, Predicate predicate) {}

  /**
   * @param masker masks bodies and headers
   */
  public LogTracer(PayloadMasker masker) {
    this.masker = masker;
    setExchangeFormatter(this::format);
  }

  @Override
  protected void doInit() throws Exception {
    super.doInit();
    setEnabled(getCamelContext().isTracing());
    setStandby(getCamelContext().isTracingStandby());
    setTracePattern(getCamelContext().getTracingPattern());
  }

  @Override
  public void setEnabled(boolean enabled) {
    super.setEnabled(enabled);
    if (getCamelContext().isStarted()) {
      TracerEventSwitch.update(getCamelContext());
    }
  }

  @Override
  public void traceBeforeNode(NamedNode node, Exchange exchange) {
    trace(exchange, () -> super.traceBeforeNode(node, exchange));
  }

  @Override
  public void traceSentNode(NamedNode node, Exchange exchange, Endpoint endpoint, long elapsed) {
    trace(exchange, () -> super.traceSentNode(node, exchange, endpoint, elapsed));
  }

  @Override
  public void traceBeforeRoute(NamedRoute route, Exchange exchange) {
    if (isTraced(route)) {
      trace(exchange, () -> super.traceBeforeRoute(route, exchange));
    }
  }

  @Override
  public void traceAfterRoute(NamedRoute route, Exchange exchange) {
    if (isTraced(route)) {
      trace(exchange, () -> super.traceAfterRoute(route, exchange));
    }
  }

  /** Applies the trace pattern to routes; Camel applies it to steps only. */
  private boolean isTraced(NamedRoute route) {
    return route instanceof NamedNode node && shouldTrace(node);
  }

  private void trace(Exchange exchange, Runnable line) {
    if (isEnabled() && filter().matches(exchange)) {
      ExchangeContext.runWith(exchange, line);
    }
  }

  private Predicate filter() {
    BacklogTracer backlog =
        getCamelContext().getCamelContextExtension().getContextPlugin(BacklogTracer.class);
    String text =
        backlog == null || backlog.getTraceFilter() == null ? "" : backlog.getTraceFilter();
    Filter current = filter;
    if (!current.text().equals(text)) {
      current = new Filter(text, text.isEmpty() ? exchange -> true : createFilter(text));
      filter = current;
    }
    return current.predicate();
  }

  /** A filter that cannot be parsed matches nothing: an exception would fail each message. */
  private Predicate createFilter(String text) {
    try {
      return TraceFilterLanguage.of(getCamelContext()).createPredicate(text);
    } catch (RuntimeException e) {
      LOG.warn(
          "Trace filter {} is invalid; tracing nothing: {}", text, ErrorMessages.singleLine(e));
      return exchange -> false;
    }
  }

  @Override
  protected void dumpTrace(String line, Object node) {
    LOG.info("{}", line);
  }

  private String format(Exchange exchange) {
    Message message = exchange.getMessage();
    Map<String, String> headers = new TreeMap<>();
    message.getHeaders().forEach((name, value) -> headers.put(name, formatHeader(name, value)));
    Exception failure = exchange.getException();
    return "Exchange["
        + exchange.getExchangeId()
        + ", headers "
        + headers
        + ", body "
        + formatBody(message.getBody())
        + (failure == null ? "" : ", failed: " + ErrorMessages.ofStep(failure))
        + "]";
  }

  private String formatHeader(String name, @Nullable Object value) {
    if (SensitiveHeaders.matches(name)) {
      return PayloadMasker.MASKED;
    }
    if (value instanceof byte[] bytes) {
      return bytes.length + " bytes";
    }
    return value instanceof String || value instanceof Number || value instanceof Enum
        ? abbreviate(masker.mask(value.toString()))
        : String.valueOf(value == null ? null : value.getClass().getSimpleName());
  }

  private String formatBody(@Nullable Object body) {
    if (body instanceof byte[] bytes) {
      return abbreviate(masker.mask(bytes));
    }
    if (body instanceof AriEvent event) {
      return formatBody(event.payload());
    }
    if (body instanceof MappedEvent mapped) {
      return formatBody(mapped.event());
    }
    if (body instanceof String text) {
      return abbreviate(masker.mask(text));
    }
    // Command.toString() is safe to log; a stream can be read only once, by its consumer
    return body instanceof Command || body == null
        ? String.valueOf(body)
        : body.getClass().getSimpleName();
  }

  private static String abbreviate(String text) {
    return text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + "\u2026";
  }
}
