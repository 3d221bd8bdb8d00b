package io.retel.ariproxy;

import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.event.InFlightEvents;
import io.retel.ariproxy.kafka.InFlightLimiter;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says after the routes have been stopped what has become of the work. It is a part of the
 * context's stop: after that the process may end at any moment.
 */
final class ShutdownReport extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(ShutdownReport.class);

  /**
   * For what is acknowledged, and told so by other threads; some end with the stop and tell none.
   */
  private static final Duration LAST_ACK_TIMEOUT = Duration.ofSeconds(1);

  private final InFlightLimiter inFlightLimiter;
  private final InFlightEvents inFlightEvents;
  private final HandleLostEvent undeliverableEvents;
  private final BooleanSupplier hasAbandonedCommands;

  /**
   * @param commandsLeft whether the stop has left commands without an answer
   */
  ShutdownReport(
      InFlightLimiter inFlightLimiter,
      InFlightEvents inFlightEvents,
      HandleLostEvent undeliverableEvents,
      BooleanSupplier hasAbandonedCommands) {
    this.inFlightLimiter = inFlightLimiter;
    this.inFlightEvents = inFlightEvents;
    this.undeliverableEvents = undeliverableEvents;
    this.hasAbandonedCommands = hasAbandonedCommands;
  }

  @Override
  protected void doStop() throws InterruptedException {
    boolean allAcknowledged = false;
    try {
      allAcknowledged = inFlightLimiter.awaitIdle(LAST_ACK_TIMEOUT);
    } finally {
      int inFlightEventCount = inFlightEvents.count();
      undeliverableEvents.logLostOnShutdown(inFlightEventCount);
      if (hasAbandonedCommands.getAsBoolean()) {
        LOG.warn(
            "Stopped with commands that are not answered: they are read again, after the next start"
                + " or by another proxy");
      } else if (allAcknowledged && inFlightEventCount == 0) {
        LOG.info("Stopped: all events are acknowledged, no command is under way");
      }
    }
  }
}
