package io.retel.ariproxy.tracing;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.Expression;
import org.apache.camel.Predicate;
import org.apache.camel.support.LanguageSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Simple, for the filter of tracers: where it fails, as {@code ${body.type}} does on another body,
 * the message is not traced. Camel's tracer would let the message fail.
 *
 * <p>A filter is written as {@code tracefilter:text}, by which Camel's tracer finds the language.
 */
final class TraceFilterLanguage extends LanguageSupport {

  static final String NAME = "tracefilter";

  private static final Logger LOG = LoggerFactory.getLogger(TraceFilterLanguage.class);
  private static final String PREFIX = NAME + ":";

  /** A filter as Camel's tracer takes it. */
  static String encode(String text) {
    return text.startsWith(PREFIX) ? text : PREFIX + text;
  }

  /** A filter as who sets it has written it. */
  static String decode(String encoded) {
    return encoded.startsWith(PREFIX) ? encoded.substring(PREFIX.length()) : encoded;
  }

  @Override
  public Predicate createPredicate(String encoded) {
    String text = decode(encoded);
    Predicate filter = getCamelContext().resolveLanguage("simple").createPredicate(text);
    AtomicBoolean warned = new AtomicBoolean();
    return exchange -> {
      try {
        return filter.matches(exchange);
      } catch (RuntimeException e) {
        if (warned.compareAndSet(false, true)) {
          LOG.warn(
              "The trace filter {} fails for some messages, which are not traced: {}",
              text,
              e.toString());
        }
        return false;
      }
    };
  }

  @Override
  public Expression createExpression(String encoded) {
    throw new UnsupportedOperationException(NAME + " is a filter");
  }
}
