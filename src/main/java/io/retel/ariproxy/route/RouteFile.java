// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.BeanFactoryDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.ProcessorDefinitionHelper;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;

/**
 * The routes, route configurations and beans in the content of a file. Parsing changes nothing in
 * the context; {@link #build} creates the routes.
 */
final class RouteFile {

  private final CamelContext context;
  private final String location;
  private final byte[] content;
  private final Set<String> beanNames;
  private final List<BeanFactoryDefinition<?>> beans;
  private final List<RouteDefinition> routes;
  private final Set<String> routeIds;
  private final Set<String> required;
  private final List<ProcessorDefinition<?>> steps;
  private final List<RouteConfigurationDefinition> configurations;

  /**
   * Parses content.
   *
   * @param content empty for a deleted file
   * @throws Exception if it is not YAML, or neither a route nor a route configuration
   */
  RouteFile(CamelContext context, String location, byte[] content) throws Exception {
    this(context, location, content, Set.of());
  }

  /**
   * Parses content that must have some routes.
   *
   * @param required ids of the routes
   * @throws Exception if it is not YAML, or one of the routes is missing or never starts
   */
  RouteFile(CamelContext context, String location, byte[] content, Set<String> required)
      throws Exception {
    this.context = context;
    this.location = location;
    this.content = content;
    RouteFiles.validateStructure(
        content, RouteFiles.isShipped(Path.of(location.replaceFirst("^file:", ""))));
    this.beanNames = RouteFiles.beanNames(content);
    Set<String> ids = new LinkedHashSet<>();
    List<ProcessorDefinition<?>> stepDefinitions = new ArrayList<>();
    List<RouteDefinition> routeDefinitions = new ArrayList<>();
    List<RouteConfigurationDefinition> definitions = new ArrayList<>();
    List<BeanFactoryDefinition<?>> beanDefinitions = new ArrayList<>();
    if (content.length > 0) {
      RouteFileLoader.Content loaded = RouteFileLoader.load(context, location, content);
      beanDefinitions.addAll(loaded.beans());
      RouteConfigurationBuilder builder = loaded.routes();
      definitions.addAll(RouteConfigurations.configure(builder, context));
      routeDefinitions.addAll(builder.configureRoutes(context).getRoutes());
      for (RouteDefinition route : routeDefinitions) {
        if (route.getRouteId() != null) {
          ids.add(route.getRouteId());
        }
        for (ProcessorDefinition<?> step :
            ProcessorDefinitionHelper.filterTypeInOutputs(
                route.getOutputs(), ProcessorDefinition.class)) {
          if (step.hasCustomIdAssigned()) {
            stepDefinitions.add(step);
          }
        }
      }
    }
    this.routes = routeDefinitions;
    this.required = Set.copyOf(required);
    requireRoutes();
    this.beans = beanDefinitions;
    this.routeIds = ids;
    this.steps = stepDefinitions;
    this.configurations = definitions;
  }

  /** Names of the beans, which must be bound before {@link #build}. */
  Set<String> beanNames() {
    return beanNames;
  }

  /** Definitions of the beans. */
  List<BeanFactoryDefinition<?>> beans() {
    return beans;
  }

  /** Ids of the routes, without those that Camel generates. */
  Set<String> routeIds() {
    return routeIds;
  }

  /** The routes, as parsed; {@link #build} creates others of the same content. */
  List<RouteDefinition> routes() {
    return routes;
  }

  private void requireRoutes() {
    for (String id : required) {
      RouteDefinition route =
          routes.stream().filter(each -> id.equals(each.getRouteId())).findFirst().orElse(null);
      if (route == null) {
        throw new InvalidSettingException("the required route " + id + " is missing");
      }
      if (RouteFiles.neverStarts(context, route)) {
        throw new InvalidSettingException(
            "the required route "
                + id
                + " never starts, since it has autoStartup: false and no routePolicy");
      }
    }
  }

  /**
   * Returns a sentence if the {@code routeConfigurationId} of a route matches neither a
   * configuration of this file nor one of the context.
   */
  Optional<String> missingConfiguration(Collection<RouteConfigurationDefinition> others) {
    return routes.stream()
        .flatMap(
            route ->
                RouteConfigurations.missing(
                    route, Stream.concat(configurations.stream(), others.stream()))
                    .stream())
        .findFirst();
  }

  /** The steps in routes whose ids Camel has not generated; those with the same id as well. */
  List<ProcessorDefinition<?>> steps() {
    return steps;
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
   * Builds the routes with the current route configurations and beans, in place of running ones.
   *
   * @return the ids of the routes
   */
  Set<String> build() throws Exception {
    // a new builder, since parsing has applied the configurations of that time
    Set<String> built =
        content.length == 0
            ? Set.of()
            : RouteFileLoader.load(context, location, content)
                .routes()
                .updateRoutesToCamelContext(context);
    for (String id : required) {
      // its precondition is false
      if (ActiveRoutes.model(context).getRouteDefinition(id) == null) {
        throw new IllegalStateException(
            "the required route " + id + " is not created, such as by its precondition");
      }
    }
    return built;
  }
}
