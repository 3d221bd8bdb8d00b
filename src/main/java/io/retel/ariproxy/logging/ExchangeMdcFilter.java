// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.ari.Resource;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Logback filter that puts the identity of the current exchange into the MDC, or clears it.
 *
 * <p>Configured in {@code logback.xml} as a filter of the appender. A turbo filter would also run
 * for lines that are not written, some thirty per event. Exchanges without log lines have no
 * overhead, and a line never shows the identity of a previous exchange.
 */
public final class ExchangeMdcFilter extends Filter<ILoggingEvent> {

  @Override
  public FilterReply decide(ILoggingEvent event) {
    // runs on the logging thread, before the event copies the MDC
    Exchange exchange = ExchangeContext.current();
    put(ExchangeContext.CALL_CONTEXT, exchange);
    put(ExchangeContext.COMMAND_ID, exchange);
    put(ExchangeContext.RESOURCE, exchange);
    return FilterReply.NEUTRAL;
  }

  private static void put(String key, @Nullable Exchange exchange) {
    Object value = exchange == null ? null : exchange.getProperty(key);
    if (value == null) {
      MDC.remove(key);
    } else {
      MDC.put(
          key,
          value instanceof Resource resource
              ? PayloadMasker.maskedKey(resource)
              : value.toString());
    }
  }
}
