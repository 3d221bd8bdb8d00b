// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.CamelContext;
import org.apache.camel.Channel;
import org.apache.camel.processor.DefaultInternalProcessorFactory;
import org.apache.camel.spi.InternalProcessorFactory;
import org.apache.camel.spi.ManagementAgent;
import org.apache.camel.spi.ManagementStrategy;

/** Creates a {@link DirectChannel} for each step of each route. */
public final class DirectChannels extends DefaultInternalProcessorFactory {

  private DirectChannels() {}

  /** Has a context use direct channels; call it before routes are added. */
  public static void install(CamelContext context) {
    context
        .getCamelContextExtension()
        .addContextPlugin(InternalProcessorFactory.class, new DirectChannels());
    MessageUnitOfWork.install(context);
  }

  @Override
  public Channel createChannel(CamelContext context) {
    return new DirectChannel(context, measuresSteps(context));
  }

  private static boolean measuresSteps(CamelContext context) {
    ManagementStrategy management = context.getManagementStrategy();
    ManagementAgent agent = management == null ? null : management.getManagementAgent();
    return agent != null && agent.getStatisticsLevel().isDefaultOrExtended();
  }
}
