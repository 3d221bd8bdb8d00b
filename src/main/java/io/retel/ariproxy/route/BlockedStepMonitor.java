// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.component.ahcws.AhcWsConsumer;
import io.retel.ariproxy.timer.PeriodicCheck;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.Route;
import org.apache.camel.support.ExchangeHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the step of a route in which an event stays for long, since all later events wait for it,
 * the added step in which a command does, and that in which a message of an author's own route
 * does. A command can also wait for Asterisk, the store or Kafka, which others report.
 */
public final class BlockedStepMonitor extends PeriodicCheck {

  private static final Logger LOG = LoggerFactory.getLogger(BlockedStepMonitor.class);

  /** What a person notices. */
  private static final Duration MIN_AGE = Duration.ofSeconds(4);

  /** Steps of an author's own route may wait, such as for a server. */
  private static final Duration OTHERS_MIN_AGE = Duration.ofMinutes(1);

  /** A step that blocks for each event is one problem. */
  private static final int MAX_QUIET_CHECKS = 10;

  /** Waits while Kafka does not acknowledge, which is reported as such. */
  private static final String LIMIT_STEP = "limit-in-flight";

  private final Supplier<Optional<Current>> missedEvent;
  private final RunningSteps addedSteps;
  private final List<Report> reports =
      List.of(
          new Report(
              "Events",
              "Events wait for {}, for {} s: all events wait for a step that blocks",
              "Events no longer wait for {}",
              () -> findEvent().stream().toList()),
          new Report(
              "Commands",
              "Commands wait for {}, for {} s: later commands of a call wait for a step that blocks",
              "Commands no longer wait for {}",
              () -> findCommand().stream().toList()),
          new Report(
              "Messages",
              "Messages wait for {}, for {} s: give the step a limit in time",
              "Messages no longer wait for {}",
              this::findOthers));

  /**
   * The event that a thread is publishing.
   *
   * @param age for how long
   */
  public record Current(Exchange exchange, Duration age) {}

  /**
   * @param missedEvent the event that a resync is publishing: the events from Asterisk wait for it
   * @param addedSteps the steps that are not part of the shipped routes
   */
  public BlockedStepMonitor(
      CamelContext context, Supplier<Optional<Current>> missedEvent, AddedSteps addedSteps) {
    super(context);
    this.missedEvent = missedEvent;
    this.addedSteps = addedSteps.running();
  }

  /** Returns the steps in which messages stay, as sentences. */
  public Optional<String> describe() {
    return Optional.of(reports.stream().flatMap(Report::describe).collect(Collectors.joining("; ")))
        .filter(text -> !text.isEmpty());
  }

  /** Returns how long an event has stayed in a step, if that is long; otherwise zero. */
  public Duration eventAge() {
    return findEvent().map(RunningSteps.Blocked::age).orElse(Duration.ZERO);
  }

  /** Returns how long a command has stayed in an added step, if that is long; otherwise zero. */
  public Duration commandAge() {
    return findCommand().map(RunningSteps.Blocked::age).orElse(Duration.ZERO);
  }

  @Override
  protected void check() {
    reports.forEach(Report::check);
  }

  /** What is reported about the messages of one kind. */
  private static final class Report {

    private final String messages;
    private final String startLine;
    private final String endLine;
    private final Supplier<? extends Collection<RunningSteps.Blocked>> find;

    /** The steps that are reported and have not ended, each with the checks that missed it. */
    private final Map<String, Integer> reported = new HashMap<>();

    Report(
        String messages,
        String startLine,
        String endLine,
        Supplier<? extends Collection<RunningSteps.Blocked>> find) {
      this.messages = messages;
      this.startLine = startLine;
      this.endLine = endLine;
      this.find = find;
    }

    Stream<String> describe() {
      return find.get().stream()
          .map(
              step ->
                  "%s wait for %s, for %d s"
                      .formatted(messages, step.place(), step.age().toSeconds()));
    }

    void check() {
      reported.replaceAll((place, quietChecks) -> quietChecks + 1);
      for (RunningSteps.Blocked step : find.get()) {
        if (reported.put(step.place(), 0) == null) {
          LOG.warn(startLine, step.place(), step.age().toSeconds());
        }
      }
      reported
          .entrySet()
          .removeIf(
              step -> {
                boolean over = step.getValue() == MAX_QUIET_CHECKS;
                if (over) {
                  LOG.info(endLine, step.getKey());
                }
                return over;
              });
    }
  }

  private Optional<RunningSteps.Blocked> findCommand() {
    return addedSteps.blockedCommand(MIN_AGE);
  }

  private List<RunningSteps.Blocked> findOthers() {
    return addedSteps.blockedOthers(OTHERS_MIN_AGE);
  }

  private Optional<RunningSteps.Blocked> findEvent() {
    for (Route route : context.getRoutes()) {
      if (route.getConsumer() instanceof AhcWsConsumer consumer) {
        Exchange exchange = consumer.current();
        Duration age = consumer.currentAge();
        if (exchange != null && consumer.current() == exchange) {
          Optional<RunningSteps.Blocked> step = blocked(new Current(exchange, age));
          if (step.isPresent()) {
            return step;
          }
        }
      }
    }
    return missedEvent
        .get()
        .flatMap(this::blocked)
        // on the thread that completes acknowledged events
        .or(() -> addedSteps.blockedEvent(MIN_AGE));
  }

  private Optional<RunningSteps.Blocked> blocked(Current current) {
    String step = current.exchange().getExchangeExtension().getHistoryNodeId();
    return current.age().compareTo(MIN_AGE) < 0 || step == null || step.equals(LIMIT_STEP)
        ? Optional.empty()
        : Optional.of(new RunningSteps.Blocked(place(current.exchange(), step), current.age()));
  }

  /** Returns the step, an added one with its file and line. */
  private String place(Exchange exchange, String step) {
    return addedSteps
        .of(exchange)
        .orElseGet(
            () -> "step %s of route %s".formatted(step, ExchangeHelper.getAtRouteId(exchange)));
  }
}
