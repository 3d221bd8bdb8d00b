// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.impl.engine.DefaultUnitOfWork;
import org.apache.camel.impl.engine.DefaultUnitOfWorkFactory;
import org.apache.camel.spi.InflightRepository;
import org.apache.camel.spi.Synchronization;
import org.apache.camel.spi.UnitOfWork;
import org.apache.camel.spi.UnitOfWorkFactory;

/**
 * Camel's unit of work, which notifies completions of the routes that a message enters and leaves
 * only if one of them has to be notified. Camel copies and sorts all of them each time.
 */
final class MessageUnitOfWork extends DefaultUnitOfWork {

  private volatile boolean hasRouteAware;

  private MessageUnitOfWork(
      Exchange exchange,
      InflightRepository inflight,
      boolean allowUseOriginalMessage,
      boolean useBreadcrumb) {
    super(exchange, inflight, allowUseOriginalMessage, useBreadcrumb);
  }

  /** Has a context use it; call it before routes are added. */
  static void install(CamelContext context) {
    context.getCamelContextExtension().addContextPlugin(UnitOfWorkFactory.class, new Factory());
  }

  @Override
  public void addSynchronization(Synchronization completion) {
    if (completion.getRouteSynchronization() != null) {
      hasRouteAware = true;
    }
    super.addSynchronization(completion);
  }

  @Override
  public void beforeRoute(Exchange exchange, Route route) {
    if (hasRouteAware) {
      super.beforeRoute(exchange, route);
    }
  }

  @Override
  public void afterRoute(Exchange exchange, Route route) {
    if (hasRouteAware) {
      super.afterRoute(exchange, route);
    }
  }

  private static final class Factory extends DefaultUnitOfWorkFactory {

    /** Whether Camel needs another one, which sets the MDC. */
    private boolean needsOther;

    private boolean allowUseOriginalMessage;
    private boolean useBreadcrumb;

    @Override
    public void afterPropertiesConfigured(CamelContext context) {
      super.afterPropertiesConfigured(context);
      needsOther = Boolean.TRUE.equals(context.isUseMDCLogging());
      allowUseOriginalMessage = Boolean.TRUE.equals(context.isAllowUseOriginalMessage());
      useBreadcrumb = Boolean.TRUE.equals(context.isUseBreadcrumb());
    }

    @Override
    public UnitOfWork createUnitOfWork(Exchange exchange) {
      return needsOther
          ? super.createUnitOfWork(exchange)
          : new MessageUnitOfWork(
              exchange,
              exchange.getContext().getInflightRepository(),
              allowUseOriginalMessage,
              useBreadcrumb);
    }
  }
}
