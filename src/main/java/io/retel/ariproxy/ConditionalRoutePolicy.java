package io.retel.ariproxy;

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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a route run while something is so, and stops it otherwise: a route that is only suspended
 * would keep its partitions from the other proxies (contract.md section 4).
 *
 * <p>For routes with {@code autoStartup: false}. Looks at what is and makes it what shall be, every
 * {@link #INTERVAL} and on a thread of its own, so that it holds for a route that is exchanged as
 * well. A route that somebody else stops is left stopped, as for an Asterisk that shall get no new
 * calls.
 */
public class ConditionalRoutePolicy extends RoutePolicySupport {

  private static final Logger LOG = LoggerFactory.getLogger(ConditionalRoutePolicy.class);

  private static final Duration INTERVAL = Duration.ofMillis(100);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

  private final BooleanSupplier condition;
  private final String conditionDescription;

  /** The routes, and whether each waits to be started. */
  private final Map<String, Boolean> awaitingStart = new ConcurrentHashMap<>();

  /** The routes that have been started here, and not stopped here since. */
  private final Set<String> startedRoutes = ConcurrentHashMap.newKeySet();

  /** How often each failure was seen, so that it is said once: when it lasts. */
  private final Map<String, Integer> failureCounts = new ConcurrentHashMap<>();

  /** Held by the thread that starts or stops a route. */
  private final Object lock = new Object();

  private ScheduledExecutorService scheduler;

  /**
   * @param condition what must be so
   * @param said the same in a clause, for the log
   */
  public ConditionalRoutePolicy(BooleanSupplier condition, String conditionDescription) {
    this.condition = condition;
    this.conditionDescription = conditionDescription;
  }

  private static String failureKey(String route, String reason) {
    return route + ": " + reason;
  }

  /**
   * Starts routes of such policies, as far as they shall run now: so that who has just made them
   * learns that one cannot.
   *
   * @param routes their ids; those of no such policy are left alone
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

  /** Those that ran and that somebody else has stopped. */
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
      // Camel does not expect a route that starts or stops while it stops
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              executors.shutdownGraceful(scheduler, STOP_TIMEOUT.toMillis());
            }
          });
      long interval = INTERVAL.toMillis();
      scheduler.scheduleWithFixedDelay(
          () -> startOrStop(context), interval, interval, TimeUnit.MILLISECONDS);
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
        // who makes a route that cannot start learns that at once, and may undo it
        if (failureCounts.merge(failureKey(route, reason), 1, Integer::sum) == 2) {
          LOG.warn("The route {} does not {}: {}", route, shouldRun ? "start" : "stop", reason);
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
      // an exchanged route says so again, maybe while this one starts
      awaitingStart.put(route, false);
      try {
        context.getRouteController().startRoute(route);
      } catch (Exception e) {
        awaitingStart.put(route, true);
        throw e;
      }
      startedRoutes.add(route);
      failureCounts.keySet().removeIf(key -> key.startsWith(failureKey(route, "")));
      LOG.info("The route {} runs: {}", route, conditionDescription);
    } else if (!shouldRun && status.isStarted()) {
      LOG.info("The route {} stops until {}", route, conditionDescription);
      awaitingStart.put(route, true);
      startedRoutes.remove(route);
      context.getRouteController().stopRoute(route);
    }
  }
}
