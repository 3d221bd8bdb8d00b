// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.kafka.InFlightEvents;
import io.retel.ariproxy.kafka.InFlightLimiter;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.event.Level;

/**
 * Enters {@link ProxyState#STOPPED} after the routes have stopped, with the outcome of the
 * shutdown. Part of the context's stop, since the process can exit at any moment after it.
 */
final class ShutdownReport extends ServiceSupport {

  /**
   * Time to wait for acknowledgements that other threads are still delivering. Some of these
   * threads end with the shutdown and never deliver theirs.
   */
  private static final Duration LAST_ACK_TIMEOUT = Duration.ofSeconds(1);

  private final Lifecycle lifecycle;
  private final InFlightLimiter inFlightLimiter;
  private final InFlightEvents inFlightEvents;
  private final HandleLostEvent undeliverableEvents;
  private final BooleanSupplier hasAbandonedCommands;
  private final Supplier<List<String>> endedThreads;

  /**
   * @param hasAbandonedCommands whether the shutdown has abandoned commands without a RESPONSE
   * @param endedThreads the threads that had ended before, each as a sentence
   */
  ShutdownReport(
      Lifecycle lifecycle,
      InFlightLimiter inFlightLimiter,
      InFlightEvents inFlightEvents,
      HandleLostEvent undeliverableEvents,
      BooleanSupplier hasAbandonedCommands,
      Supplier<List<String>> endedThreads) {
    this.lifecycle = lifecycle;
    this.inFlightLimiter = inFlightLimiter;
    this.inFlightEvents = inFlightEvents;
    this.undeliverableEvents = undeliverableEvents;
    this.hasAbandonedCommands = hasAbandonedCommands;
    this.endedThreads = endedThreads;
  }

  @Override
  protected void doStop() throws InterruptedException {
    boolean allAcknowledged = false;
    try {
      allAcknowledged = inFlightLimiter.awaitIdle(LAST_ACK_TIMEOUT);
    } finally {
      int inFlightEventCount = inFlightEvents.count();
      undeliverableEvents.logLostOnShutdown(inFlightEventCount);
      List<String> ended = endedThreads.get();
      if (hasAbandonedCommands.getAsBoolean()) {
        enterStopped(
            Level.WARN,
            "commands without a RESPONSE are consumed again, after the next start or by another proxy",
            ended);
      } else {
        enterStopped(
            ended.isEmpty() ? Level.INFO : Level.WARN,
            allAcknowledged && inFlightEventCount == 0
                ? "all events acknowledged, no commands in flight"
                : "not all records were acknowledged",
            ended);
      }
    }
  }

  private void enterStopped(Level level, String outcome, List<String> endedThreads) {
    lifecycle.enter(
        ProxyState.STOPPED,
        level,
        Stream.concat(Stream.of(outcome), endedThreads.stream()).collect(Collectors.joining(". ")));
  }
}
