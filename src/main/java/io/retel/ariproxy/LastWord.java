package io.retel.ariproxy;

import io.retel.ariproxy.event.CountLost;
import io.retel.ariproxy.event.EventsUnderWay;
import io.retel.ariproxy.kafka.BoundInFlight;
import java.time.Duration;
import org.apache.camel.support.service.ServiceSupport;

/**
 * Says after the routes have been stopped what was lost in the stop. It is a part of the context's
 * stop: after that the process may end at any moment.
 */
final class LastWord extends ServiceSupport {

  /**
   * For what is acknowledged, and told so by other threads; some end with the stop and tell none.
   */
  private static final Duration LAST_COMPLETIONS = Duration.ofSeconds(1);

  private final BoundInFlight inFlight;
  private final EventsUnderWay underWay;
  private final CountLost countLost;

  LastWord(BoundInFlight inFlight, EventsUnderWay underWay, CountLost countLost) {
    this.inFlight = inFlight;
    this.underWay = underWay;
    this.countLost = countLost;
  }

  @Override
  protected void doStop() throws InterruptedException {
    try {
      inFlight.awaitNothing(LAST_COMPLETIONS);
    } finally {
      countLost.sayWhatWasLostInTheStop(underWay.count());
    }
  }
}
