// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.support.PatternHelper;
import org.jspecify.annotations.Nullable;

/** Route configurations of a Camel context, by their exact id. */
final class RouteConfigurations {

  /** Why an additional file must not contain a global configuration. */
  static final String GLOBAL_PROBLEM =
      "a route configuration without an id, or with the id *, applies to the proxy's own routes: give"
          + " it an id, and your routes a routeConfigurationId";

  private RouteConfigurations() {}

  /**
   * Finds the configuration with an id. Camel's own search and removal fall back to a configuration
   * without an id.
   */
  static Optional<RouteConfigurationDefinition> find(Model model, @Nullable String id) {
    return model.getRouteConfigurationDefinitions().stream()
        .filter(configuration -> Objects.equals(configuration.getId(), id))
        .findFirst();
  }

  /** Adds a configuration in place of the one with its id. */
  static void replace(Model model, RouteConfigurationDefinition configuration) {
    find(model, configuration.getId()).ifPresent(model.getRouteConfigurationDefinitions()::remove);
    model.addRouteConfiguration(configuration);
  }

  /** Returns the configurations of a builder, without adding them to the context. */
  static List<RouteConfigurationDefinition> configure(
      RouteConfigurationBuilder builder, CamelContext context) throws Exception {
    builder.setCamelContext(context);
    builder.getRouteConfigurationCollection().setCamelContext(context);
    builder.configuration();
    return builder.getRouteConfigurationCollection().getRouteConfigurations();
  }

  /** Whether a configuration applies to all routes that do not name one. */
  static boolean isGlobal(RouteConfigurationDefinition configuration) {
    return configuration.getId() == null || configuration.getId().equals("*");
  }

  /**
   * Returns a sentence if a route names a configuration that does not exist: the route would run
   * without its error handling.
   */
  static Optional<String> missing(
      RouteDefinition route, Stream<RouteConfigurationDefinition> configurations) {
    return route.getRouteConfigurationId() == null
            || configurations.anyMatch(each -> isUsedBy(route, each.getId()))
        ? Optional.empty()
        : Optional.of(
            "no route configuration has the id %s, which the route %s names"
                .formatted(route.getRouteConfigurationId(), route.getRouteId()));
  }

  /** Whether a route uses a configuration, by the rules of Camel's {@code RoutesDefinition}. */
  static boolean isUsedBy(RouteDefinition route, @Nullable String configurationId) {
    if (route.getRouteConfigurationId() == null) {
      // those without an id are global
      return configurationId == null || configurationId.equals("*");
    }
    for (String pattern : route.getRouteConfigurationId().split(",", -1)) {
      if (PatternHelper.matchPattern(configurationId, pattern)) {
        return true;
      }
    }
    return false;
  }
}
