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
public class RunWhile extends RoutePolicySupport {

  private static final Logger LOG = LoggerFactory.getLogger(RunWhile.class);

  private static final Duration INTERVAL = Duration.ofMillis(100);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

  private final BooleanSupplier condition;
  private final String said;

  /** The routes, and whether each waits to be started. */
  private final Map<String, Boolean> waiting = new ConcurrentHashMap<>();

  /** The routes that have been started here, and not stopped here since. */
  private final Set<String> started = ConcurrentHashMap.newKeySet();

  /** How often each failure was seen, so that it is said once: when it lasts. */
  private final Map<String, Integer> failures = new ConcurrentHashMap<>();

  /** Held by the thread that starts or stops a route. */
  private final Object changing = new Object();

  private ScheduledExecutorService timer;

  /**
   * @param condition what must be so
   * @param said the same in a clause, for the log
   */
  public RunWhile(BooleanSupplier condition, String said) {
    this.condition = condition;
    this.said = said;
  }

  private static String failure(String route, String why) {
    return route + ": " + why;
  }

  /**
   * Starts routes of such policies, as far as they shall run now: so that who has just made them
   * learns that one cannot.
   *
   * @param routes their ids; those of no such policy are left alone
   */
  static void startIfTheyShallRun(CamelContext context, Collection<String> routes)
      throws Exception {
    for (String id : routes) {
      Route route = context.getRoute(id);
      if (route != null && route.getRoutePolicyList() != null) {
        for (RoutePolicy policy : route.getRoutePolicyList()) {
          if (policy instanceof RunWhile own && own.condition.getAsBoolean()) {
            own.startOrStop(context, id, true);
          }
        }
      }
    }
  }

  /** Those that ran and that somebody else has stopped. */
  public List<String> stoppedByHand(CamelContext context) {
    return started.stream()
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
    started.remove(route.getRouteId());
    waiting.put(route.getRouteId(), true);
    CamelContext context = route.getCamelContext();
    if (timer == null) {
      ExecutorServiceManager executors = context.getExecutorServiceManager();
      timer = executors.newSingleThreadScheduledExecutor(this, "run-while");
      // Camel does not expect a route that starts or stops while it stops
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              executors.shutdownGraceful(timer, STOP_TIMEOUT.toMillis());
            }
          });
      long interval = INTERVAL.toMillis();
      timer.scheduleWithFixedDelay(
          () -> startOrStop(context), interval, interval, TimeUnit.MILLISECONDS);
    }
  }

  @Override
  public void onRemove(Route route) {
    started.remove(route.getRouteId());
    waiting.remove(route.getRouteId());
  }

  private void startOrStop(CamelContext context) {
    boolean shallRun = condition.getAsBoolean();
    for (String route : waiting.keySet()) {
      try {
        startOrStop(context, route, shallRun);
      } catch (Exception e) {
        String why = RootCause.inOneLine(e);
        // who makes a route that cannot start learns that at once, and may undo it
        if (failures.merge(failure(route, why), 1, Integer::sum) == 2) {
          LOG.warn("The route {} does not {}: {}", route, shallRun ? "start" : "stop", why);
        }
      }
    }
  }

  private void startOrStop(CamelContext context, String route, boolean shallRun) throws Exception {
    synchronized (changing) {
      startOrStopAlone(context, route, shallRun);
    }
  }

  private void startOrStopAlone(CamelContext context, String route, boolean shallRun)
      throws Exception {
    ServiceStatus status = context.getRouteController().getRouteStatus(route);
    if (status == null || !context.isStarted()) {
      return;
    }
    if (shallRun && waiting.getOrDefault(route, false) && status.isStartable()) {
      // an exchanged route says so again, maybe while this one starts
      waiting.put(route, false);
      try {
        context.getRouteController().startRoute(route);
      } catch (Exception e) {
        waiting.put(route, true);
        throw e;
      }
      started.add(route);
      failures.keySet().removeIf(failure -> failure.startsWith(failure(route, "")));
      LOG.info("The route {} runs: {}", route, said);
    } else if (!shallRun && status.isStarted()) {
      LOG.info("The route {} stops until {}", route, said);
      waiting.put(route, true);
      started.remove(route);
      context.getRouteController().stopRoute(route);
    }
  }
}
