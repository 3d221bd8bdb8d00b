// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.Ordered;
import org.apache.camel.RouteConfigurationsBuilder;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Routes and route configurations in Java. Each is in effect unless a file has one with the same
 * id.
 *
 * <p>Camel adds all configurations before all routes. Among both, this class comes last, when the
 * ids of the files are known.
 */
public final class CompiledRoutes implements RoutesBuilder, RouteConfigurationsBuilder, Ordered {

  private static final Logger LOG = LoggerFactory.getLogger(CompiledRoutes.class);

  /** Each use needs new definitions, to which Camel applies the configurations of that time. */
  private final List<Supplier<? extends RouteBuilder>> builders;

  private final Set<String> configurationIds = new LinkedHashSet<>();
  private final Set<String> routeIds = new LinkedHashSet<>();

  public CompiledRoutes(List<Supplier<? extends RouteBuilder>> builders) {
    this.builders = List.copyOf(builders);
  }

  @Override
  public int getOrder() {
    // files have LOWEST
    return Integer.MAX_VALUE;
  }

  @Override
  public void addRouteConfigurationsToCamelContext(CamelContext context) throws Exception {
    if (!configurationIds.isEmpty()) {
      // Camel adds the configurations of a builder once more with its routes
      return;
    }
    Model model = ActiveRoutes.model(context);
    for (RouteConfigurationDefinition configuration : configurations(context)) {
      configurationIds.add(configuration.getId());
      if (RouteConfigurations.find(model, configuration.getId()).isPresent()) {
        LOG.info("Compiled route configuration {} replaced by a file", configuration.getId());
      } else {
        model.addRouteConfiguration(configuration);
      }
    }
  }

  @Override
  public void addRoutesToCamelContext(CamelContext context) throws Exception {
    Model model = ActiveRoutes.model(context);
    List<RouteDefinition> missing = new ArrayList<>();
    for (RouteDefinition route : routes(context)) {
      routeIds.add(route.getRouteId());
      if (model.getRouteDefinition(route.getRouteId()) == null) {
        missing.add(route);
      } else {
        LOG.info("Compiled route {} replaced by a file", route.getRouteId());
      }
    }
    model.addRouteDefinitions(missing);
  }

  @Override
  public void addTemplatedRoutesToCamelContext(CamelContext context) {
    // none
  }

  /** Not called, since Camel updates routes from files only. */
  @Override
  public void updateRouteConfigurationsToCamelContext(CamelContext context) {
    throw new UnsupportedOperationException("Only route files are updated");
  }

  /** Not called, since Camel updates routes from files only. */
  @Override
  public Set<String> updateRoutesToCamelContext(CamelContext context) {
    throw new UnsupportedOperationException("Only route files are updated");
  }

  /** Returns whether a route is compiled, even if a file replaces it. */
  boolean contains(String routeId) {
    return routeIds.contains(routeId);
  }

  /** Returns the ids of the compiled routes and configurations that a file replaces. */
  Set<String> idsReplacedBy(RouteFile file) {
    Set<String> replaced = new LinkedHashSet<>();
    file.routeIds().stream().filter(routeIds::contains).forEach(replaced::add);
    file.configurationIds().stream().filter(configurationIds::contains).forEach(replaced::add);
    return replaced;
  }

  /**
   * Adds the compiled configurations among the ids, in place of others.
   *
   * @return the ids of these configurations
   */
  Set<String> restoreConfigurations(CamelContext context, Set<String> ids) throws Exception {
    Set<String> restored = new LinkedHashSet<>();
    for (RouteConfigurationDefinition configuration : configurations(context)) {
      if (ids.contains(configuration.getId())) {
        RouteConfigurations.replace(ActiveRoutes.model(context), configuration);
        restored.add(configuration.getId());
      }
    }
    return restored;
  }

  /**
   * Builds the compiled routes among the ids, in place of running ones.
   *
   * @return the ids of these routes
   */
  Set<String> restoreRoutes(CamelContext context, Set<String> ids) throws Exception {
    List<RouteDefinition> definitions = new ArrayList<>();
    Set<String> restored = new LinkedHashSet<>();
    for (RouteDefinition route : routes(context)) {
      if (ids.contains(route.getRouteId())) {
        context.getRouteController().stopRoute(route.getRouteId());
        context.removeRoute(route.getRouteId());
        definitions.add(route);
        restored.add(route.getRouteId());
      }
    }
    ActiveRoutes.model(context).addRouteDefinitions(definitions);
    return restored;
  }

  private List<RouteConfigurationDefinition> configurations(CamelContext context) throws Exception {
    List<RouteConfigurationDefinition> all = new ArrayList<>();
    for (Supplier<? extends RouteBuilder> supplier : builders) {
      if (supplier.get() instanceof RouteConfigurationBuilder builder) {
        all.addAll(RouteConfigurations.configure(builder, context));
      }
    }
    return all;
  }

  /** Returns new definitions of all compiled routes. */
  List<RouteDefinition> routes(CamelContext context) throws Exception {
    List<RouteDefinition> all = new ArrayList<>();
    for (Supplier<? extends RouteBuilder> supplier : builders) {
      all.addAll(supplier.get().configureRoutes(context).getRoutes());
    }
    return all;
  }
}
