// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.CamelContext;
import org.apache.camel.FailedToCreateRouteException;
import org.apache.camel.model.ModelLifecycleStrategySupport;
import org.apache.camel.model.RouteDefinition;

/**
 * Rejects routes that consume a websocket, except the proxy's own: whether commands are accepted,
 * mappings are compared and the proxy is healthy depends on that one.
 */
public final class OneWebsocketRoute extends ModelLifecycleStrategySupport {

  private static final String SCHEME = "ahc-ws";

  private final CamelContext context;
  private final String routeId;

  /**
   * @param routeId the route that may consume a websocket
   */
  public OneWebsocketRoute(CamelContext context, String routeId) {
    this.context = context;
    this.routeId = routeId;
  }

  @Override
  public void onAddRouteDefinition(RouteDefinition route) {
    if (routeId.equals(route.getRouteId()) || route.getInput() == null) {
      return;
    }
    String uri = route.getInput().getEndpointUri();
    if (resolved(uri).trim().startsWith(SCHEME)) {
      throw new FailedToCreateRouteException(
          String.valueOf(route.getRouteId()),
          route.getResource() == null ? "" : route.getResource().getLocation(),
          SCHEME,
          new IllegalArgumentException(
              "only the route "
                  + routeId
                  + " consumes a websocket: another Asterisk needs a proxy of its own"));
    }
  }

  /** Returns the URI as it is if Camel does not know a property yet, such as one of a template. */
  private String resolved(String uri) {
    try {
      return context.resolvePropertyPlaceholders(uri);
    } catch (IllegalArgumentException e) {
      return uri;
    }
  }
}
