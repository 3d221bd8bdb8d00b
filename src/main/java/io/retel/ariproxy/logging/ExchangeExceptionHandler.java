// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.support.LoggingExceptionHandler;

/** Logs an error with the exchange's call context, command and resource. Thread-safe. */
public final class ExchangeExceptionHandler extends LoggingExceptionHandler {

  /**
   * @param logger the class under whose name errors are logged
   */
  public ExchangeExceptionHandler(CamelContext context, Class<?> logger) {
    super(context, logger);
  }

  @Override
  public void handleException(String message, Exchange exchange, Throwable exception) {
    ExchangeContext.runWith(exchange, () -> super.handleException(message, exchange, exception));
  }
}
