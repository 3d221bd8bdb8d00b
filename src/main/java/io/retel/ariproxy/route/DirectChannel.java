// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.List;
import org.apache.camel.AsyncCallback;
import org.apache.camel.AsyncProcessor;
import org.apache.camel.CamelContext;
import org.apache.camel.DisabledAware;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangeExtension;
import org.apache.camel.NamedNode;
import org.apache.camel.NamedRoute;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.StatefulService;
import org.apache.camel.impl.engine.CamelInternalProcessor;
import org.apache.camel.impl.engine.DefaultChannel;
import org.apache.camel.processor.errorhandler.NoErrorHandler;
import org.apache.camel.processor.errorhandler.RedeliveryErrorHandler;
import org.apache.camel.spi.BacklogTracer;
import org.apache.camel.spi.CamelInternalProcessorAdvice;
import org.apache.camel.spi.InterceptStrategy;
import org.apache.camel.spi.ManagementInterceptStrategy.InstrumentationProcessor;
import org.apache.camel.spi.ShutdownStrategy;
import org.apache.camel.spi.Tracer;
import org.apache.camel.spi.UnitOfWork;
import org.apache.camel.support.ExchangeHelper;
import org.apache.camel.support.LoggerHelper;
import org.jspecify.annotations.Nullable;

/**
 * Camel's channel around a step, which calls the step first and its error handler only after an
 * error.
 *
 * <p>Camel calls the error handler first, which calls the step: three objects and four turns of its
 * queue for each step of each message, although an error handler that repeats nothing has nothing
 * to do before an error. It accepts an exchange that has failed.
 *
 * <p>While a tracer is enabled, with an error handler that repeats steps, with a debugger, with
 * statistics per step, and in an unusual state of the exchange, everything is as in Camel.
 */
final class DirectChannel extends DefaultChannel {

  private final CamelContext context;
  private final ShutdownStrategy shutdown;
  private final boolean statisticsPerStep;
  private @Nullable Tracer tracer;
  private @Nullable BacklogTracer backlogTracer;
  private @Nullable String id;
  private @Nullable String label;
  private @Nullable String source;
  private boolean hasOtherAdvice;

  /** The step within its interceptors; null if it needs Camel's channel. */
  private @Nullable AsyncProcessor step;

  private @Nullable AsyncProcessor errorHandler;
  private @Nullable StatefulService repeatingErrorHandler;
  private @Nullable DisabledAware disabledAware;

  /**
   * @param statisticsPerStep whether Camel measures each step
   */
  DirectChannel(CamelContext context, boolean statisticsPerStep) {
    super(context);
    this.context = context;
    this.shutdown = context.getShutdownStrategy();
    this.statisticsPerStep = statisticsPerStep;
  }

  @Override
  public void initChannel(
      Route route,
      NamedNode definition,
      NamedNode childDefinition,
      List<InterceptStrategy> interceptors,
      Processor nextProcessor,
      NamedRoute routeDefinition,
      boolean first)
      throws Exception {
    super.initChannel(
        route, definition, childDefinition, interceptors, nextProcessor, routeDefinition, first);
    NamedNode node = childDefinition != null ? childDefinition : definition;
    id = node.getId();
    label = node.getLabel();
    source = LoggerHelper.getLineNumberLoggerName(node);
  }

  @Override
  public void addAdvice(CamelInternalProcessorAdvice<?> advice) {
    super.addAdvice(advice);
    if (advice instanceof TracingAdvice) {
      tracer = context.getTracer();
    } else if (advice instanceof BacklogTracerAdvice) {
      backlogTracer = context.getCamelContextExtension().getContextPlugin(BacklogTracer.class);
    } else if (!(advice instanceof NodeHistoryAdvice)
        && !(CamelInternalProcessor.unwrap(advice) instanceof InstrumentationProcessor)) {
      hasOtherAdvice = true;
    }
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    Processor handler = getErrorHandler();
    Processor output = handler == null ? getOutput() : output(handler);
    boolean isDirect = !hasOtherAdvice && !statisticsPerStep;
    errorHandler = handler instanceof AsyncProcessor async ? async : null;
    boolean hasOtherHandler = handler != null && errorHandler == null;
    step = isDirect && !hasOtherHandler && output instanceof AsyncProcessor async ? async : null;
    disabledAware = getNextProcessor() instanceof DisabledAware aware ? aware : null;
    repeatingErrorHandler = handler instanceof RedeliveryErrorHandler repeating ? repeating : null;
  }

  /** Returns what an error handler calls, or null if it has to do more than handle an error. */
  private static @Nullable Processor output(Processor handler) throws Exception {
    if (handler instanceof NoErrorHandler none) {
      return none.getOutput();
    }
    return handler instanceof RedeliveryErrorHandler repeating
            && !repeating.determineIfRedeliveryIsEnabled()
        ? repeating.getOutput()
        : null;
  }

  @Override
  public boolean process(Exchange exchange, AsyncCallback callback) {
    AsyncProcessor direct = step;
    if (direct == null || isUnusual(exchange)) {
      return super.process(exchange, callback);
    }
    ExchangeExtension extension = exchange.getExchangeExtension();
    extension.setHistoryNodeId(id);
    extension.setHistoryNodeLabel(label);
    extension.setHistoryNodeSource(source);
    try {
      direct.process(exchange, doneSync -> onDone(exchange, callback));
    } catch (Exception e) {
      // not by the step, which sets it
      exchange.setException(e);
      leave(exchange, callback);
    }
    return false;
  }

  private boolean isUnusual(Exchange exchange) {
    ExchangeExtension extension = exchange.getExchangeExtension();
    UnitOfWork unitOfWork = exchange.getUnitOfWork();
    return exchange.getException() != null
        || exchange.isRouteStop()
        || exchange.isTransacted()
        || exchange.isRollbackOnly()
        || extension.isInterrupted()
        || extension.isRedeliveryExhausted()
        || shutdown.isForceShutdown()
        || disabledAware != null && disabledAware.isDisabled()
        || repeatingErrorHandler != null && !repeatingErrorHandler.isRunAllowed()
        || tracer != null && tracer.isEnabled()
        || backlogTracer != null && backlogTracer.isEnabled()
        || unitOfWork != null && unitOfWork.isBeforeAfterProcess();
  }

  private void onDone(Exchange exchange, AsyncCallback callback) {
    ExchangeExtension extension = exchange.getExchangeExtension();
    AsyncProcessor handler = errorHandler;
    if (handler instanceof NoErrorHandler) {
      // as it does
      extension.setRedeliveryExhausted(false);
    } else if (handler != null) {
      if (extension.isInterrupted()) {
        exchange.setRouteStop(true);
      } else if (exchange.getException() != null
          && !extension.isRedeliveryExhausted()
          && !ExchangeHelper.isFailureHandled(exchange)) {
        handler.process(exchange, doneSync -> leave(exchange, callback));
        return;
      }
    }
    leave(exchange, callback);
  }

  private static void leave(Exchange exchange, AsyncCallback callback) {
    ExchangeExtension extension = exchange.getExchangeExtension();
    extension.setHistoryNodeId(null);
    extension.setHistoryNodeLabel(null);
    extension.setHistoryNodeSource(null);
    callback.done(false);
  }
}
