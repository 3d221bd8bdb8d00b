// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;

/**
 * The routes, route configurations and beans in the content of a file. Parsing changes nothing in
 * the context; {@link #build} creates the beans and routes.
 */
final class RouteFile {

  private final CamelContext context;
  private final String location;
  private final byte[] content;
  private final Set<String> beanNames;
  private final Set<String> routeIds;
  private final List<String> stepIds;
  private final List<RouteConfigurationDefinition> configurations;

  /**
   * Parses content.
   *
   * @param content empty for a deleted file
   * @throws Exception if it is not YAML, or neither a route nor a route configuration
   */
  RouteFile(CamelContext context, String location, byte[] content) throws Exception {
    this.context = context;
    this.location = location;
    this.content = content;
    RouteFiles.validateStructure(content);
    this.beanNames = RouteFiles.beanNames(content);
    Set<String> ids = new LinkedHashSet<>();
    List<String> steps = new ArrayList<>();
    List<RouteConfigurationDefinition> definitions = new ArrayList<>();
    if (content.length > 0) {
      RouteConfigurationBuilder builder = RouteFileLoader.inspect(context, location, content);
      definitions.addAll(RouteConfigurations.configure(builder, context));
      for (RouteDefinition route : builder.configureRoutes(context).getRoutes()) {
        if (route.getRouteId() != null) {
          ids.add(route.getRouteId());
        }
        ProcessorDefinitionHelper.filterTypeInOutputs(route.getOutputs(), ProcessorDefinition.class)
            .stream()
            .filter(step -> step.hasCustomIdAssigned())
            .forEach(step -> steps.add(step.getId()));
      }
    }
    this.routeIds = ids;
    this.stepIds = steps;
    this.configurations = definitions;
  }

  /** Names of the beans that {@link #build} creates. */
  Set<String> beanNames() {
    return beanNames;
  }

  /** Ids of the routes, without those that Camel generates. */
  Set<String> routeIds() {
    return routeIds;
  }

  /** Ids of the steps in routes, without those that Camel generates; repeated ones as well. */
  List<String> stepIds() {
    return stepIds;
  }

  Set<String> configurationIds() {
    Set<String> ids = new LinkedHashSet<>();
    configurations.forEach(configuration -> ids.add(configuration.getId()));
    return ids;
  }

  List<RouteConfigurationDefinition> configurations() {
    return configurations;
  }

  /**
   * Builds the routes with the current route configurations, in place of running ones. Creates the
   * beans before, and ends the current ones of the same names.
   *
   * @return the ids of the routes
   */
  Set<String> build() throws Exception {
    // a new builder, since parsing has applied the configurations of that time
    return content.length == 0
        ? Set.of()
        : RouteFileLoader.load(context, location, content).updateRoutesToCamelContext(context);
  }
}
