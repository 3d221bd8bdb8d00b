// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.TaggedMeters;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.spi.CamelEvent;
import org.apache.camel.spi.CamelEvent.RouteStartedEvent;
import org.apache.camel.support.SimpleEventNotifierSupport;

/** Event notifier that counts each start of a route after the first. */
public final class RouteRestartCounter extends SimpleEventNotifierSupport {

  private final TaggedMeters<String, Counter> restarts;
  private final Set<String> startedRoutes = ConcurrentHashMap.newKeySet();

  public RouteRestartCounter(MeterRegistry meters) {
    this.restarts =
        new TaggedMeters<>(route -> Meters.PROCESSOR_RESTARTS.counter(meters, route), "other");
    // so that Camel does not create events for each exchange
    setIgnoreExchangeEvents(true);
  }

  @Override
  public boolean isEnabled(CamelEvent event) {
    return event instanceof RouteStartedEvent;
  }

  @Override
  public void notify(CamelEvent event) {
    String route = ((RouteStartedEvent) event).getRoute().getRouteId();
    Counter routeRestarts = restarts.get(route);
    if (!startedRoutes.add(route)) {
      routeRestarts.increment();
    }
  }
}
