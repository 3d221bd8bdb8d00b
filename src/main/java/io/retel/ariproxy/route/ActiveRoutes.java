// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The routes and route configurations of a Camel context: those of files, and the compiled ones
 * whose id is in no file.
 *
 * <p>Camel applies a route configuration when it builds a route, so a changed configuration
 * rebuilds the routes that use it.
 */
final class ActiveRoutes {

  private static final Logger LOG = LoggerFactory.getLogger(ActiveRoutes.class);

  /** For the messages of an additional file's routes to complete before they are replaced. */
  private static final Duration MAX_STOP = Duration.ofSeconds(5);

  private final CamelContext context;
  private final Model model;
  private final CompiledRoutes compiledRoutes;

  /** Content of the running routes, by file. */
  private final Map<Path, byte[]> contents = new ConcurrentHashMap<>();

  /**
   * @param folder the files, whose shipped ones the context loads
   */
  ActiveRoutes(CamelContext context, CompiledRoutes compiledRoutes, Path folder) {
    this.context = context;
    this.model = model(context);
    this.compiledRoutes = compiledRoutes;
    try {
      for (Path file : RouteFiles.list(folder)) {
        if (RouteFiles.isShipped(file)) {
          contents.put(file, RouteFiles.read(file));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns whether a file has been loaded. */
  boolean contains(Path file) {
    return contents.containsKey(file);
  }

  /** Returns the ids of the running routes of a file. */
  Set<String> routeIds(Path file) {
    return routes().values().stream()
        .filter(route -> sourceFile(route).filter(file::equals).isPresent())
        .map(Route::getRouteId)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Returns the ids of the route configurations that only this file has. */
  Set<String> configurationIds(Path file) throws Exception {
    Set<String> ids = parse(file).configurationIds();
    for (Path other : contents.keySet()) {
      if (!other.equals(file)) {
        ids.removeAll(parse(other).configurationIds());
      }
    }
    return ids;
  }

  /** Returns the file of a running route. */
  Optional<Path> fileOfRoute(String routeId) {
    return Optional.ofNullable(routes().get(routeId)).flatMap(ActiveRoutes::sourceFile);
  }

  /** Returns whether a running route is neither from a file nor compiled with the proxy. */
  boolean isOfLibrary(String routeId) {
    Route route = routes().get(routeId);
    return route != null && sourceFile(route).isEmpty() && !compiledRoutes.contains(routeId);
  }

  /**
   * Rejects a step id that two shipped files have, or one has twice: the next start would fail.
   *
   * @throws InvalidSettingException names the step
   */
  void rejectRepeatedSteps(Path file, RouteFile edited) throws Exception {
    Set<String> ids = new HashSet<>();
    for (Path other : contents.keySet()) {
      if (RouteFiles.isShipped(other) && !other.equals(file)) {
        ids.addAll(parse(other).stepIds());
      }
    }
    RouteFiles.addSteps(edited.stepIds(), ids);
  }

  /** Returns the files with a route configuration. */
  List<Path> filesWithConfiguration(String configurationId) throws Exception {
    List<Path> files = new ArrayList<>();
    for (Path file : contents.keySet()) {
      if (parse(file).configurationIds().contains(configurationId)) {
        files.add(file);
      }
    }
    return files;
  }

  /**
   * Replaces a file's routes and route configurations by those of its new content.
   *
   * @return the ids of the compiled routes and configurations that are in effect again
   */
  Set<String> load(Path file, RouteFile edited) throws Exception {
    // configurations first, since they apply when a route is built
    edited
        .configurations()
        .forEach(configuration -> RouteConfigurations.replace(model, configuration));
    Set<String> restoredConfigurations =
        compiledRoutes.restoreConfigurations(
            context, without(configurationIds(file), edited.configurationIds()));
    Set<String> removedRoutes = without(routeIds(file), edited.routeIds());
    if (!RouteFiles.isShipped(file)) {
      stop(routeIds(file));
    }

    Set<String> built = edited.build();
    ConditionalRoutePolicy.startEligible(context, built);
    remove(without(routeIds(file), built));
    Set<String> restoredRoutes = compiledRoutes.restoreRoutes(context, removedRoutes);

    Set<String> changedConfigurations = union(edited.configurationIds(), restoredConfigurations);
    rebuild(without(routesWith(changedConfigurations), union(built, restoredRoutes)));
    contents.put(file, edited.content());
    return union(restoredConfigurations, restoredRoutes);
  }

  /**
   * Removes a file's routes.
   *
   * @return the ids of the compiled routes and configurations that are in effect again
   */
  Set<String> unload(Path file, String location) throws Exception {
    Set<String> restored = load(file, new RouteFile(context, location, new byte[0]));
    contents.remove(file);
    return restored;
  }

  /** Returns the routes and configurations as they are, for a rollback. */
  State state() {
    return new State(routes(), List.copyOf(model.getRouteConfigurationDefinitions()));
  }

  /** Restores all routes and configurations after a failed edit. */
  void rollBack(State previous) throws Exception {
    model.getRouteConfigurationDefinitions().clear();
    model.getRouteConfigurationDefinitions().addAll(previous.configurations());
    Map<String, Route> current = routes();
    remove(without(current.keySet(), previous.routes().keySet()));
    Set<Path> files = new LinkedHashSet<>();
    Set<String> compiled = new LinkedHashSet<>();
    for (Route route : previous.routes().values()) {
      if (current.get(route.getRouteId()) != route) {
        sourceFile(route).ifPresentOrElse(files::add, () -> compiled.add(route.getRouteId()));
      }
    }
    files.retainAll(contents.keySet());
    build(files, compiled);
    files.forEach(file -> LOG.warn("{} rolled back to its previous version", file.getFileName()));
    if (!compiled.isEmpty()) {
      LOG.warn("Rolled back to compiled {}", compiled);
    }
  }

  /** Returns the ids of the routes to which one of the configurations applies. */
  private Set<String> routesWith(Set<String> configurationIds) {
    return model.getRouteDefinitions().stream()
        .filter(
            route ->
                configurationIds.stream().anyMatch(id -> RouteConfigurations.isUsedBy(route, id)))
        .map(RouteDefinition::getRouteId)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  private void rebuild(Set<String> routeIds) throws Exception {
    Set<Path> files = new LinkedHashSet<>();
    Set<String> compiled = new LinkedHashSet<>();
    for (String routeId : routeIds) {
      fileOfRoute(routeId).ifPresentOrElse(files::add, () -> compiled.add(routeId));
    }
    build(files, compiled);
  }

  private void build(Set<Path> files, Set<String> compiledIds) throws Exception {
    for (Path file : files) {
      ConditionalRoutePolicy.startEligible(context, parse(file).build());
    }
    compiledRoutes.restoreRoutes(context, compiledIds);
  }

  /** Messages of a route of a user do not delay edits and events: they have a limit in time. */
  private void stop(Set<String> routeIds) throws Exception {
    for (String routeId : routeIds) {
      context.getRouteController().stopRoute(routeId, MAX_STOP.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private void remove(Set<String> routeIds) throws Exception {
    for (String routeId : routeIds) {
      context.getRouteController().stopRoute(routeId);
      context.removeRoute(routeId);
    }
  }

  private RouteFile parse(Path file) throws Exception {
    return new RouteFile(context, "file:" + file, contents.getOrDefault(file, new byte[0]));
  }

  private Map<String, Route> routes() {
    return context.getRoutes().stream()
        .collect(Collectors.toMap(Route::getRouteId, route -> route, (first, duplicate) -> first));
  }

  private static Optional<Path> sourceFile(Route route) {
    return Optional.ofNullable(route.getSourceResource()).map(ActiveRoutes::toPath);
  }

  static Model model(CamelContext context) {
    return context.getCamelContextExtension().getContextPlugin(Model.class);
  }

  static Path toPath(Resource resource) {
    return Path.of(resource.getLocation().replaceFirst("^file:", "")).toAbsolutePath().normalize();
  }

  private static Set<String> without(Set<String> ids, Set<String> excluded) {
    Set<String> remaining = new LinkedHashSet<>(ids);
    remaining.removeAll(excluded);
    return remaining;
  }

  private static Set<String> union(Set<String> one, Set<String> other) {
    Set<String> all = new LinkedHashSet<>(one);
    all.addAll(other);
    return all;
  }

  /** Running routes by id, and route configurations. */
  record State(Map<String, Route> routes, List<RouteConfigurationDefinition> configurations) {}
}
