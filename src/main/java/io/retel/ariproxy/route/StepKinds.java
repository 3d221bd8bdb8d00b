// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.Endpoint;
import org.apache.camel.EndpointAware;
import org.apache.camel.Processor;
import org.apache.camel.component.log.LogEndpoint;
import org.apache.camel.component.seda.SedaEndpoint;
import org.apache.camel.processor.LogProcessor;
import org.apache.camel.processor.SendDynamicProcessor;
import org.apache.camel.processor.WireTapProcessor;
import org.jspecify.annotations.Nullable;

/** What Camel has built of a step. */
final class StepKinds {

  private StepKinds() {}

  /** Whether a step writes one line to the log for each message. */
  static boolean isLog(Processor step) {
    return step instanceof LogProcessor
        || endpoint(step) instanceof LogEndpoint log
            && log.getGroupSize() == null
            && log.getGroupInterval() == null
        || isDynamic(step, "log:")
        || step instanceof WireTapProcessor tap && tap.getUri().startsWith("log:");
  }

  /** Whether a step sends to a queue. */
  static boolean queues(Processor step) {
    return endpoint(step) instanceof SedaEndpoint || isDynamic(step, "seda:");
  }

  private static boolean isDynamic(Processor step, String scheme) {
    return step instanceof SendDynamicProcessor sender && sender.getUri().startsWith(scheme);
  }

  private static @Nullable Endpoint endpoint(Processor step) {
    return step instanceof EndpointAware sender ? sender.getEndpoint() : null;
  }
}
