// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.timer.BackgroundTask;
import io.retel.ariproxy.timer.SharedTimer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.RoutePolicySupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Route policy that runs a route while a condition holds and stops it otherwise. Suspending is not
 * enough: a suspended route still owns its partitions (docs/contract.md#commands).
 *
 * <p>For routes with {@code autoStartup: false}. Checks the condition periodically, so it also
 * covers reloaded routes, and immediately after {@link #wake}. Routes start and stop on a thread of
 * the policy, since a stop waits for messages in flight. A route that an operator stops while it
 * runs stays stopped, until it is reloaded.
 */
public class ConditionalRoutePolicy extends RoutePolicySupport {

  private static final Logger LOG = LoggerFactory.getLogger(ConditionalRoutePolicy.class);

  /** While a route waits to be started, or is starting or stopping. */
  protected static final Duration PENDING_INTERVAL = Duration.ofMillis(100);

  /** While all routes run, of a condition whose end wakes the policy. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

  private final BooleanSupplier condition;
  private final String conditionDescription;
  private final Duration interval;

  /** Route ids, and whether each waits to be started. */
  private final Map<String, Boolean> awaitingStart = new ConcurrentHashMap<>();

  /** Routes that this policy has started and not stopped since. */
  private final Set<String> startedRoutes = ConcurrentHashMap.newKeySet();

  /** Number of occurrences of each failure, which is logged once, on the second occurrence. */
  private final Map<String, Integer> failureCounts = new ConcurrentHashMap<>();

  /** Held while a route is started or stopped. */
  private final Object lock = new Object();

  private final Runnable check = FatalErrors.continuing(this::check);
  private @Nullable CamelContext context;
  private @Nullable BackgroundTask transition;
  private @Nullable ScheduledFuture<?> nextCheck;
  private boolean stopped;

  /**
   * @param condition whether the routes may run; must not block. The caller wakes the policy when
   *     it ends.
   * @param conditionDescription the condition as a clause, for the log
   */
  public ConditionalRoutePolicy(BooleanSupplier condition, String conditionDescription) {
    this(condition, conditionDescription, INTERVAL);
  }

  /**
   * @param condition whether the routes may run; must not block
   * @param conditionDescription the condition as a clause, for the log
   * @param interval of checks while the routes run
   */
  protected ConditionalRoutePolicy(
      BooleanSupplier condition, String conditionDescription, Duration interval) {
    this.condition = condition;
    this.conditionDescription = conditionDescription;
    this.interval = interval;
  }

  private static String failureKey(String route, String reason) {
    return route + ": " + reason;
  }

  /**
   * Starts routes whose policy lets them run now. Unlike the periodic check, it throws if one
   * cannot start.
   *
   * @param routeIds the routes; those without such a policy are ignored
   */
  static void startEligible(CamelContext context, Collection<String> routeIds) throws Exception {
    for (String routeId : routeIds) {
      Route route = context.getRoute(routeId);
      if (route != null && route.getRoutePolicyList() != null) {
        for (RoutePolicy policy : route.getRoutePolicyList()) {
          if (policy instanceof ConditionalRoutePolicy conditional
              && conditional.condition.getAsBoolean()) {
            conditional.startOrStop(context, routeId, true);
          }
        }
      }
    }
  }

  /** Returns the routes that this policy has started and an operator has stopped since. */
  public List<String> manuallyStopped(CamelContext context) {
    return startedRoutes.stream()
        .filter(
            route -> {
              ServiceStatus status = context.getRouteController().getRouteStatus(route);
              return status != null && (status.isStopped() || status.isSuspended());
            })
        .sorted()
        .toList();
  }

  @Override
  public synchronized void onInit(Route route) {
    startedRoutes.remove(route.getRouteId());
    awaitingStart.put(route.getRouteId(), true);
    if (context == null) {
      CamelContext routeContext = route.getCamelContext();
      BackgroundTask task =
          new BackgroundTask(routeContext, "route-policy", () -> startOrStop(routeContext));
      context = routeContext;
      transition = task;
      // Camel does not support starting or stopping routes while it shuts down
      routeContext.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              stopChecks();
              task.stop(STOP_TIMEOUT.toMillis());
            }
          });
    }
    schedule(PENDING_INTERVAL);
  }

  /** Checks the condition immediately, since it can have changed. Returns immediately. */
  public void wake() {
    schedule(Duration.ZERO);
  }

  /** Schedules a check, unless one is due no later: the condition can have changed since. */
  private synchronized void schedule(Duration delay) {
    if (context == null || stopped) {
      return;
    }
    if (nextCheck != null) {
      if (nextCheck.getDelay(TimeUnit.NANOSECONDS) <= delay.toNanos()) {
        return;
      }
      nextCheck.cancel(false);
    }
    nextCheck = SharedTimer.of(context).schedule(check, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  private synchronized void stopChecks() {
    stopped = true;
    if (nextCheck != null) {
      nextCheck.cancel(false);
    }
  }

  @Override
  public void onRemove(Route route) {
    startedRoutes.remove(route.getRouteId());
    awaitingStart.remove(route.getRouteId());
  }

  /** Runs on the shared timer, so it does not start or stop routes itself. */
  private void check() {
    CamelContext current;
    BackgroundTask task;
    synchronized (this) {
      nextCheck = null;
      current = context;
      task = transition;
    }
    if (current == null || task == null) {
      return;
    }
    Duration next = PENDING_INTERVAL;
    try {
      if (!task.isRunning()) {
        if (isTransitionDue(current)) {
          task.start();
        } else if (!awaitingStart.containsValue(true)) {
          next = interval;
        }
      }
    } finally {
      schedule(next);
    }
  }

  private boolean isTransitionDue(CamelContext current) {
    boolean shouldRun = condition.getAsBoolean();
    return awaitingStart.keySet().stream()
        .anyMatch(
            route -> mustStart(current, route, shouldRun) || mustStop(current, route, shouldRun));
  }

  private boolean mustStart(CamelContext current, String route, boolean shouldRun) {
    ServiceStatus status = status(current, route);
    return shouldRun
        && awaitingStart.getOrDefault(route, false)
        && status != null
        && status.isStartable();
  }

  private static boolean mustStop(CamelContext current, String route, boolean shouldRun) {
    ServiceStatus status = status(current, route);
    return !shouldRun && status != null && status.isStarted();
  }

  /** Returns null if the route must not start or stop now. */
  private static @Nullable ServiceStatus status(CamelContext current, String route) {
    return current.isStarted() ? current.getRouteController().getRouteStatus(route) : null;
  }

  private void startOrStop(CamelContext current) {
    boolean shouldRun = condition.getAsBoolean();
    for (String route : awaitingStart.keySet()) {
      try {
        startOrStop(current, route, shouldRun);
      } catch (Exception e) {
        String reason = ErrorMessages.singleLine(e);
        // not the first time: a reload gets the same failure as an exception and can roll back
        if (failureCounts.merge(failureKey(route, reason), 1, Integer::sum) == 2) {
          LOG.warn("Route {} failed to {}: {}", route, shouldRun ? "start" : "stop", reason);
        }
      }
    }
  }

  private void startOrStop(CamelContext current, String route, boolean shouldRun) throws Exception {
    synchronized (lock) {
      startOrStopLocked(current, route, shouldRun);
    }
  }

  private void startOrStopLocked(CamelContext current, String route, boolean shouldRun)
      throws Exception {
    if (mustStart(current, route, shouldRun)) {
      // before the start, since a reload can set it again during the start
      awaitingStart.put(route, false);
      try {
        current.getRouteController().startRoute(route);
      } catch (Exception e) {
        awaitingStart.put(route, true);
        throw e;
      }
      startedRoutes.add(route);
      failureCounts.keySet().removeIf(key -> key.startsWith(failureKey(route, "")));
      LOG.info("Route {} started: {}", route, conditionDescription);
    } else if (mustStop(current, route, shouldRun)) {
      LOG.info("Stopping route {} until {}", route, conditionDescription);
      awaitingStart.put(route, true);
      startedRoutes.remove(route);
      current.getRouteController().stopRoute(route);
    }
  }
}
