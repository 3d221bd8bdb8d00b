package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.ari.Resource;
import org.apache.camel.Exchange;
import org.slf4j.MDC;

/**
 * Puts into the MDC whose message a line is about, when the line is about to be written; out of it,
 * if it is about none. Named in {@code logback.xml}, as a filter of the appender: a turbo filter
 * would be asked for every line that is not written as well, some thirty per event.
 *
 * <p>That way a message of which nothing is logged costs nothing here, and a line never has the
 * labels of a message that its thread has left.
 */
public final class ExchangeMdcFilter extends Filter<ILoggingEvent> {

  @Override
  public FilterReply decide(ILoggingEvent event) {
    // on the thread that logs, before the line asks for its MDC
    Exchange exchange = ExchangeContext.current();
    put(ExchangeContext.CALL_CONTEXT, exchange);
    put(ExchangeContext.COMMAND_ID, exchange);
    put(ExchangeContext.RESOURCE, exchange);
    return FilterReply.NEUTRAL;
  }

  private static void put(String key, Exchange exchange) {
    Object value = exchange == null ? null : exchange.getProperty(key);
    if (value == null) {
      MDC.remove(key);
    } else {
      String text =
          value instanceof Resource resource ? PayloadMasker.maskedKey(resource) : value.toString();
      MDC.put(key, LogText.abbreviate(text));
    }
  }
}
