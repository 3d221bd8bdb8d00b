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

  /**
   * Whether the copy that a step makes is discarded without an error if no route reads its queue.
   * Not with a queue of the author, which does not report whether it has got the copy.
   */
  static boolean discardsWithoutConsumer(Processor step) {
    if (endpoint(step) instanceof SedaEndpoint seda) {
      return seda.isDiscardIfNoConsumers() && seda.getQueue() instanceof CopyQueue;
    }
    return step instanceof SendDynamicProcessor sender && discards(sender.getUri());
  }

  /** The same for the copy that a {@code wireTap} sends. */
  static boolean tapsWithoutConsumer(WireTapProcessor step) {
    return discards(step.getUri());
  }

  private static boolean discards(String uri) {
    return uri.startsWith("seda:") && uri.contains("discardIfNoConsumers=true");
  }

  private static boolean isDynamic(Processor step, String scheme) {
    return step instanceof SendDynamicProcessor sender && sender.getUri().startsWith(scheme);
  }

  private static @Nullable Endpoint endpoint(Processor step) {
    return step instanceof EndpointAware sender ? sender.getEndpoint() : null;
  }
}
