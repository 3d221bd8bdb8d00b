// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.FatalErrors;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.ExecutorServiceManager;
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
 * <p>For routes with {@code autoStartup: false}. Checks the condition every {@link #INTERVAL} on
 * its own thread, so it also covers reloaded routes. A route stopped by an operator stays stopped,
 * for example to keep new calls away from an Asterisk.
 */
public class ConditionalRoutePolicy extends RoutePolicySupport {

  private static final Logger LOG = LoggerFactory.getLogger(ConditionalRoutePolicy.class);

  private static final Duration INTERVAL = Duration.ofMillis(100);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

  private final BooleanSupplier condition;
  private final String conditionDescription;

  /** Route ids, and whether each waits to be started. */
  private final Map<String, Boolean> awaitingStart = new ConcurrentHashMap<>();

  /** Routes that this policy has started and not stopped since. */
  private final Set<String> startedRoutes = ConcurrentHashMap.newKeySet();

  /** Number of occurrences of each failure, which is logged once, on the second occurrence. */
  private final Map<String, Integer> failureCounts = new ConcurrentHashMap<>();

  /** Held while a route is started or stopped. */
  private final Object lock = new Object();

  private @Nullable ScheduledExecutorService scheduler;

  /**
   * @param condition whether the routes may run
   * @param conditionDescription the condition as a clause, for the log
   */
  public ConditionalRoutePolicy(BooleanSupplier condition, String conditionDescription) {
    this.condition = condition;
    this.conditionDescription = conditionDescription;
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
    CamelContext context = route.getCamelContext();
    if (scheduler == null) {
      ExecutorServiceManager executors = context.getExecutorServiceManager();
      scheduler = executors.newSingleThreadScheduledExecutor(this, "route-policy");
      // Camel does not support starting or stopping routes while it shuts down
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              executors.shutdownGraceful(scheduler, STOP_TIMEOUT.toMillis());
            }
          });
      long interval = INTERVAL.toMillis();
      scheduler.scheduleWithFixedDelay(
          FatalErrors.continuing(() -> startOrStop(context)),
          interval,
          interval,
          TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void onRemove(Route route) {
    startedRoutes.remove(route.getRouteId());
    awaitingStart.remove(route.getRouteId());
  }

  private void startOrStop(CamelContext context) {
    boolean shouldRun = condition.getAsBoolean();
    for (String route : awaitingStart.keySet()) {
      try {
        startOrStop(context, route, shouldRun);
      } catch (Exception e) {
        String reason = ErrorMessages.singleLine(e);
        // not the first time: a reload gets the same failure as an exception and can roll back
        if (failureCounts.merge(failureKey(route, reason), 1, Integer::sum) == 2) {
          LOG.warn("Route {} failed to {}: {}", route, shouldRun ? "start" : "stop", reason);
        }
      }
    }
  }

  private void startOrStop(CamelContext context, String route, boolean shouldRun) throws Exception {
    synchronized (lock) {
      startOrStopLocked(context, route, shouldRun);
    }
  }

  private void startOrStopLocked(CamelContext context, String route, boolean shouldRun)
      throws Exception {
    ServiceStatus status = context.getRouteController().getRouteStatus(route);
    if (status == null || !context.isStarted()) {
      return;
    }
    if (shouldRun && awaitingStart.getOrDefault(route, false) && status.isStartable()) {
      // before the start, since a reload can set it again during the start
      awaitingStart.put(route, false);
      try {
        context.getRouteController().startRoute(route);
      } catch (Exception e) {
        awaitingStart.put(route, true);
        throw e;
      }
      startedRoutes.add(route);
      failureCounts.keySet().removeIf(key -> key.startsWith(failureKey(route, "")));
      LOG.info("Route {} started: {}", route, conditionDescription);
    } else if (!shouldRun && status.isStarted()) {
      LOG.info("Stopping route {} until {}", route, conditionDescription);
      awaitingStart.put(route, true);
      startedRoutes.remove(route);
      context.getRouteController().stopRoute(route);
    }
  }
}
