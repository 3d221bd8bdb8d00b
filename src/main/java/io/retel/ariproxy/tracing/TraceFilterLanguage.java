// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.Expression;
import org.apache.camel.Predicate;
import org.apache.camel.support.LanguageSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Simple language for trace filters. If a filter fails, as {@code ${body.type}} does on another
 * body, the message is not traced; Camel's tracer would fail the message.
 *
 * <p>Filters have the prefix {@code tracefilter:}, by which Camel's tracer selects the language.
 */
final class TraceFilterLanguage extends LanguageSupport {

  static final String NAME = "tracefilter";

  private static final Logger LOG = LoggerFactory.getLogger(TraceFilterLanguage.class);
  private static final String PREFIX = NAME + ":";

  static TraceFilterLanguage of(CamelContext context) {
    TraceFilterLanguage language = new TraceFilterLanguage();
    language.setCamelContext(context);
    return language;
  }

  /** Adds the prefix that Camel's tracer expects. */
  static String encode(String text) {
    return text.startsWith(PREFIX) ? text : PREFIX + text;
  }

  /** Removes the prefix. */
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
              "Trace filter {} fails for some messages; not tracing them: {}", text, e.toString());
        }
        return false;
      }
    };
  }

  @Override
  public Expression createExpression(String encoded) {
    throw new UnsupportedOperationException(NAME + " supports predicates only");
  }
}
