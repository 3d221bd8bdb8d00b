package io.retel.ariproxy.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.spi.CamelEvent.RouteStartedEvent;
import org.apache.camel.support.SimpleEventNotifierSupport;

/** Counts the starts of a route that are not its first. */
public final class CountRestarts extends SimpleEventNotifierSupport {

  private final Tagged<String, Counter> restarts;
  private final Set<String> started = ConcurrentHashMap.newKeySet();

  public CountRestarts(MeterRegistry meters) {
    this.restarts = new Tagged<>(route -> Meters.PROCESSOR_RESTARTS.in(meters, route), "other");
    // nothing of an exchange is asked for, and so nothing is made for one
    setIgnoreExchangeEvents(true);
  }

  @Override
  public boolean isEnabled(CamelEvent event) {
    return event instanceof RouteStartedEvent;
  }

  @Override
  public void notify(CamelEvent event) {
    String route = ((RouteStartedEvent) event).getRoute().getRouteId();
    Counter ofRoute = restarts.with(route);
    if (!started.add(route)) {
      ofRoute.increment();
    }
  }
}
