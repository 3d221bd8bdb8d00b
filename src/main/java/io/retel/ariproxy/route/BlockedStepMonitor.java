// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.component.ahcws.AhcWsConsumer;
import io.retel.ariproxy.timer.PeriodicCheck;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.ExchangeHelper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the step of a route in which an event stays for long, since all later events wait for it.
 */
public final class BlockedStepMonitor extends PeriodicCheck {

  private static final Logger LOG = LoggerFactory.getLogger(BlockedStepMonitor.class);

  /** What a person notices. */
  private static final Duration MIN_AGE = Duration.ofSeconds(4);

  /** A step that blocks for each event is one problem. */
  private static final int MAX_QUIET_CHECKS = 10;

  /** Waits while Kafka does not acknowledge, which is reported as such. */
  private static final String LIMIT_STEP = "limit-in-flight";

  private final Supplier<Optional<Current>> missedEvent;

  /** What is reported and has not ended. */
  private @Nullable BlockedStep reported;

  private int quietChecks;

  /**
   * The event that a thread is publishing.
   *
   * @param age for how long
   */
  public record Current(Exchange exchange, Duration age) {}

  /** An event that has stayed in a step. */
  private record BlockedStep(Exchange exchange, String place, Duration age) {}

  /**
   * @param missedEvent the event that a resync is publishing: the events from Asterisk wait for it
   */
  public BlockedStepMonitor(CamelContext context, Supplier<Optional<Current>> missedEvent) {
    super(context);
    this.missedEvent = missedEvent;
  }

  /** Returns the step in which an event stays, as a sentence. */
  public Optional<String> describe() {
    return find()
        .map(
            step -> "Events wait for %s, for %d s".formatted(step.place(), step.age().toSeconds()));
  }

  /** Returns how long an event has stayed in a step, if that is long; otherwise zero. */
  public Duration age() {
    return find().map(BlockedStep::age).orElse(Duration.ZERO);
  }

  @Override
  protected void check() {
    BlockedStep last = reported;
    Optional<BlockedStep> found = find();
    if (found.isPresent()) {
      BlockedStep step = found.get();
      if (last == null || !last.place().equals(step.place())) {
        LOG.warn(
            "Events wait for {}, for {} s: all events wait for a step that blocks",
            step.place(),
            step.age().toSeconds());
      }
      reported = step;
      quietChecks = 0;
    } else if (last != null && ++quietChecks == MAX_QUIET_CHECKS) {
      LOG.info("Events no longer wait for {}", last.place());
      reported = null;
    }
  }

  private Optional<BlockedStep> find() {
    for (Route route : context.getRoutes()) {
      if (route.getConsumer() instanceof AhcWsConsumer consumer) {
        Exchange exchange = consumer.current();
        Duration age = consumer.currentAge();
        if (exchange != null && consumer.current() == exchange) {
          Optional<BlockedStep> step = blocked(new Current(exchange, age));
          if (step.isPresent()) {
            return step;
          }
        }
      }
    }
    return missedEvent.get().flatMap(BlockedStepMonitor::blocked);
  }

  private static Optional<BlockedStep> blocked(Current current) {
    String step = current.exchange().getExchangeExtension().getHistoryNodeId();
    return current.age().compareTo(MIN_AGE) < 0 || step == null || step.equals(LIMIT_STEP)
        ? Optional.empty()
        : Optional.of(
            new BlockedStep(current.exchange(), place(current.exchange(), step), current.age()));
  }

  private static String place(Exchange exchange, String step) {
    return "step %s of route %s".formatted(step, ExchangeHelper.getAtRouteId(exchange));
  }
}
