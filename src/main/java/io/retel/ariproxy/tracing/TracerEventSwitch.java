// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import org.apache.camel.CamelContext;
import org.apache.camel.impl.engine.CamelInternalProcessor;
import org.apache.camel.spi.BacklogTracer;
import org.apache.camel.spi.EventNotifier;
import org.apache.camel.spi.Tracer;
import org.apache.camel.support.SimpleEventNotifierSupport;

/**
 * Switch for the events that Camel sends its tracers.
 *
 * <p>Camel creates them even while both tracers are on standby, some eight objects per message.
 * This switch suppresses them unless a tracer is enabled.
 */
final class TracerEventSwitch {

  private TracerEventSwitch() {}

  /** Updates the switch; call after a tracer has been enabled or disabled. */
  static void update(CamelContext context) {
    Tracer log = context.getTracer();
    BacklogTracer backlog =
        context.getCamelContextExtension().getContextPlugin(BacklogTracer.class);
    boolean needed = log.isEnabled() || backlog != null && backlog.isEnabled();
    for (EventNotifier notifier : context.getManagementStrategy().getEventNotifiers()) {
      // Camel 4.18: one notifier for both tracers, in a class without a public name
      if (notifier instanceof SimpleEventNotifierSupport tracerNotifier
          && notifier.getClass().getEnclosingClass() == CamelInternalProcessor.class) {
        tracerNotifier.setIgnoreExchangeEvents(!needed);
      }
    }
  }
}
