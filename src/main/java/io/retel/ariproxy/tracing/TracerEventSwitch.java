package io.retel.ariproxy.tracing;

import org.apache.camel.CamelContext;
import org.apache.camel.impl.engine.CamelInternalProcessor;
import org.apache.camel.spi.BacklogTracer;
import org.apache.camel.spi.EventNotifier;
import org.apache.camel.spi.Tracer;
import org.apache.camel.support.SimpleEventNotifierSupport;

/**
 * What Camel tells its tracers of each exchange: it is made even while both are on standby, some
 * eight objects per message, and so for nobody. Here it is made while one of them is on.
 */
final class TracerEventSwitch {

  private TracerEventSwitch() {}

  /** To be called when a tracer has been switched on or off. */
  static void update(CamelContext context) {
    Tracer log = context.getTracer();
    BacklogTracer backlog =
        context.getCamelContextExtension().getContextPlugin(BacklogTracer.class);
    boolean needed = log.isEnabled() || backlog != null && backlog.isEnabled();
    for (EventNotifier notifier : context.getManagementStrategy().getEventNotifiers()) {
      // Camel 4.18: one for both tracers, in a class that has no public name
      if (notifier instanceof SimpleEventNotifierSupport tracerNotifier
          && notifier.getClass().getEnclosingClass() == CamelInternalProcessor.class) {
        tracerNotifier.setIgnoreExchangeEvents(!needed);
      }
    }
  }
}
