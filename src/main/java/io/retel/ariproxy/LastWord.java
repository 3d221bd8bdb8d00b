package io.retel.ariproxy;

import io.retel.ariproxy.event.CountLost;
import io.retel.ariproxy.event.EventsUnderWay;
import io.retel.ariproxy.kafka.BoundInFlight;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.apache.camel.support.service.ServiceSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says after the routes have been stopped what has become of the work. It is a part of the
 * context's stop: after that the process may end at any moment.
 */
final class LastWord extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(LastWord.class);

  /**
   * For what is acknowledged, and told so by other threads; some end with the stop and tell none.
   */
  private static final Duration LAST_COMPLETIONS = Duration.ofSeconds(1);

  private final BoundInFlight inFlight;
  private final EventsUnderWay underWay;
  private final CountLost countLost;
  private final BooleanSupplier commandsLeft;

  /**
   * @param commandsLeft whether the stop has left commands without an answer
   */
  LastWord(
      BoundInFlight inFlight,
      EventsUnderWay underWay,
      CountLost countLost,
      BooleanSupplier commandsLeft) {
    this.inFlight = inFlight;
    this.underWay = underWay;
    this.countLost = countLost;
    this.commandsLeft = commandsLeft;
  }

  @Override
  protected void doStop() throws InterruptedException {
    boolean acknowledged = false;
    try {
      acknowledged = inFlight.awaitNothing(LAST_COMPLETIONS);
    } finally {
      int events = underWay.count();
      countLost.sayWhatWasLostInTheStop(events);
      if (commandsLeft.getAsBoolean()) {
        LOG.warn(
            "Stopped with commands that are not answered: they are read again, after the next start"
                + " or by another proxy");
      } else if (acknowledged && events == 0) {
        LOG.info("Stopped: all events are acknowledged, no command is under way");
      }
    }
  }
}
