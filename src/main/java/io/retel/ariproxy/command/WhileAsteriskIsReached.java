package io.retel.ariproxy.command;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.spi.ExecutorServiceManager;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.RoutePolicySupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a route run while its Asterisk can be reached, and stops it otherwise: a route that is only
 * suspended would keep its partitions from the other proxies (contract.md section 4).
 *
 * <p>For routes with {@code autoStartup: false}. Looks at what is and makes it what shall be, every
 * {@link #INTERVAL} and on a thread of its own, so that it holds for a route that is exchanged as
 * well. A route that somebody else stops is left stopped, as for an Asterisk that shall get no new
 * calls.
 */
public final class WhileAsteriskIsReached extends RoutePolicySupport {

  private static final Logger LOG = LoggerFactory.getLogger(WhileAsteriskIsReached.class);

  private static final Duration INTERVAL = Duration.ofMillis(200);

  /** How long after a request that did not reach Asterisk the next one may be tried. */
  private static final Duration HOLD_OFF = Duration.ofSeconds(5);

  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

  private final BooleanSupplier connected;

  /** The routes, and whether each waits to be started. */
  private final Map<String, Boolean> waiting = new ConcurrentHashMap<>();

  private ScheduledExecutorService timer;
  private volatile long heldOffUntil = System.nanoTime();

  /**
   * @param connected whether Asterisk's websocket is open: without it the events of a call that is
   *     begun would be missed
   */
  public WhileAsteriskIsReached(BooleanSupplier connected) {
    this.connected = connected;
  }

  /** A request did not reach Asterisk: its routes stop for a while, websocket or not. */
  public void notReached() {
    heldOffUntil = System.nanoTime() + HOLD_OFF.toNanos();
  }

  @Override
  public synchronized void onInit(Route route) {
    waiting.put(route.getRouteId(), true);
    CamelContext context = route.getCamelContext();
    if (timer == null) {
      ExecutorServiceManager executors = context.getExecutorServiceManager();
      timer = executors.newSingleThreadScheduledExecutor(this, "while-asterisk-is-reached");
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
    waiting.remove(route.getRouteId());
  }

  private void startOrStop(CamelContext context) {
    boolean reached = connected.getAsBoolean() && System.nanoTime() - heldOffUntil >= 0;
    for (String route : waiting.keySet()) {
      try {
        startOrStop(context, route, reached);
      } catch (Exception e) {
        LOG.warn("The route {} does not {}: {}", route, reached ? "start" : "stop", e.toString());
      }
    }
  }

  private void startOrStop(CamelContext context, String route, boolean reached) throws Exception {
    ServiceStatus status = context.getRouteController().getRouteStatus(route);
    if (status == null || !context.isStarted()) {
      return;
    }
    if (reached && waiting.get(route) && status.isStartable()) {
      // an exchanged route says so again, maybe while this one starts
      waiting.put(route, false);
      try {
        context.getRouteController().startRoute(route);
      } catch (Exception e) {
        waiting.put(route, true);
        throw e;
      }
      LOG.info("The route {} runs: Asterisk can be reached", route);
    } else if (!reached && status.isStarted()) {
      LOG.info("The route {} stops until Asterisk can be reached; others take its part", route);
      waiting.put(route, true);
      context.getRouteController().stopRoute(route);
    }
  }
}
