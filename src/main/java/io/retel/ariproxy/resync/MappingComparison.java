// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.metrics.Meters;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Periodically compares the mappings with Asterisk, and ends those whose resource has ended without
 * an event (docs/contract.md#comparison). Publishes nothing, since Asterisk has published nothing.
 *
 * <p>Without an interruption of the websocket only: the ends during a gap belong to the resync,
 * which publishes them.
 */
public final class MappingComparison extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(MappingComparison.class);

  /** Between an end in Asterisk's responses and its event, if any. */
  private static final Duration EVENT_DELAY = Duration.ofSeconds(1);

  /** Longer than the interval of pings with their timeout. */
  public static final Duration MAX_WAIT = Duration.ofSeconds(60);

  private static final Duration POLL_INTERVAL = Duration.ofMillis(50);

  private final CamelContext context;
  private final CallContexts callContexts;
  private final StasisApplications applications;
  private final ResourceLookup lookup;
  private final EventStream events;
  private final BooleanSupplier noGap;
  private final Duration interval;
  private final Duration maxWait;
  private final Counter endedMappings;
  private @Nullable ScheduledExecutorService scheduler;

  /** The progress of the events, for moments of {@link System#nanoTime}. */
  @FunctionalInterface
  public interface EventStream {
    /**
     * Returns whether the routes have received all events between two moments: the websocket has
     * been open since the first, and Asterisk has sent data after the second.
     */
    boolean hasReceivedAll(long sinceNanos, long untilNanos);
  }

  /**
   * @param noGap whether the websocket is open and its resync has ended
   * @param interval between comparisons; zero for none
   * @param maxWait for the events of what has ended; {@link #MAX_WAIT}, unless in a test
   */
  public MappingComparison(
      CamelContext context,
      CallContexts callContexts,
      StasisApplications applications,
      ResourceLookup lookup,
      EventStream events,
      BooleanSupplier noGap,
      Duration interval,
      Duration maxWait,
      MeterRegistry meters) {
    this.maxWait = maxWait;
    this.context = context;
    this.callContexts = callContexts;
    this.applications = applications;
    this.lookup = lookup;
    this.events = events;
    this.noGap = noGap;
    this.interval = interval;
    this.endedMappings = Meters.COMPARISON_MAPPINGS_ENDED.counter(meters);
  }

  @Override
  protected void doStart() {
    if (!interval.isZero()) {
      scheduler =
          context
              .getExecutorServiceManager()
              .newSingleThreadScheduledExecutor(this, "mapping-comparison");
      scheduler.scheduleWithFixedDelay(
          FatalErrors.continuing(this::run),
          interval.toMillis(),
          interval.toMillis(),
          TimeUnit.MILLISECONDS);
    }
  }

  @Override
  protected void doStop() throws Exception {
    if (scheduler != null) {
      context.getExecutorServiceManager().shutdownNow(scheduler);
    }
    lookup.close();
  }

  private void run() {
    try {
      compare();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // the stop closes the client of a request
      if (!isStoppingOrStopped()) {
        throw e;
      }
    }
  }

  void compare() throws InterruptedException {
    if (!noGap.getAsBoolean()) {
      return;
    }
    long startNanos = System.nanoTime();
    // before the queries: what is mapped during them exists
    Map<Resource, Mapping> mappings = callContexts.active();
    mappings
        .entrySet()
        .removeIf(
            entry ->
                // Asterisk may still execute the command
                entry.getValue().unconfirmed()
                    || isInLostApplication(entry.getKey(), entry.getValue()));
    List<Resource> missing = lookup.findMissing(mappings.keySet());
    if (missing.isEmpty()) {
      return;
    }
    if (!awaitEvents(startNanos, System.nanoTime() + EVENT_DELAY.toNanos())) {
      LOG.debug("Comparison discarded: a gap, or events wait to be published");
      return;
    }
    long ended =
        missing.stream()
            .filter(resource -> end(resource, Objects.requireNonNull(mappings.get(resource))))
            .count();
    endedMappings.increment(ended);
    if (ended > 0) {
      LOG.info(
          "Comparison with Asterisk: {} of {} mappings ended, their resources no longer exist",
          ended,
          mappings.size());
    }
  }

  /** Ends a mapping that has not changed, unless its application was lost during the queries. */
  private boolean end(Resource resource, Mapping read) {
    return !isInLostApplication(resource, read) && callContexts.endIfUnchanged(resource, read);
  }

  /** Whether events of a resource go to another client, so that a resync publishes its end. */
  private boolean isInLostApplication(Resource resource, Mapping mapping) {
    return applications.lostOwner(List.of(resource), mapping.callContext()).isPresent();
  }

  private boolean awaitEvents(long sinceNanos, long untilNanos) throws InterruptedException {
    long deadlineNanos = System.nanoTime() + maxWait.toNanos();
    while (System.nanoTime() - deadlineNanos < 0) {
      if (events.hasReceivedAll(sinceNanos, untilNanos)) {
        // a resync in progress needs the mappings
        return noGap.getAsBoolean();
      }
      Thread.sleep(POLL_INTERVAL.toMillis());
    }
    return false;
  }
}
