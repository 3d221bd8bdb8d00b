// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The routes and route configurations of a Camel context: those of files, with their beans, and the
 * compiled ones whose id is in no file.
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

  private final RouteBeans beans;

  /** For what a route of a user does when it starts. */
  private final Duration maxStart;

  /** For beans of a shipped file to be created. */
  private final Duration maxEdit;

  /** The files of the running routes; the context has loaded the shipped ones. */
  private final Map<Path, RouteFile> files = new ConcurrentHashMap<>();

  /** Content of shipped files that have not been parsed yet. */
  private final Map<Path, byte[]> unparsed = new ConcurrentHashMap<>();

  /** Files whose routes an edit has stopped, and that a rollback builds again. */
  private final Set<Path> stopped = new LinkedHashSet<>();

  /** Beans of an edit that is not in effect yet; null if there is none. */
  private @Nullable Map<String, RouteBeans.Bean> created;

  /** The beans that those have replaced; null if they have not. */
  private @Nullable Map<String, RouteBeans.Bean> replaced;

  /**
   * @param folder the files, whose shipped ones the context loads
   * @param maxStart the limit in time to start an additional file's beans, or its routes again
   */
  ActiveRoutes(
      CamelContext context, CompiledRoutes compiledRoutes, Path folder, Duration maxStart) {
    this.maxStart = maxStart;
    this.maxEdit =
        maxStart.compareTo(InterruptAfter.MAX_EDIT) < 0 ? maxStart : InterruptAfter.MAX_EDIT;
    this.beans = new RouteBeans(context, maxEdit);
    this.context = context;
    this.model = model(context);
    this.compiledRoutes = compiledRoutes;
    try {
      for (Path file : RouteFiles.list(folder)) {
        if (RouteFiles.isShipped(file)) {
          unparsed.put(file, RouteFiles.read(file));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns whether a file has been loaded. */
  boolean contains(Path file) {
    return files.containsKey(file) || unparsed.containsKey(file);
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
    return ofThisFileOnly(file, RouteFile::configurationIds);
  }

  private Set<String> ofThisFileOnly(Path file, Function<RouteFile, Set<String>> names)
      throws Exception {
    Set<String> own = new LinkedHashSet<>();
    if (contains(file)) {
      own.addAll(names.apply(loaded(file)));
    }
    for (Path other : loadedFiles()) {
      if (!other.equals(file)) {
        own.removeAll(names.apply(loaded(other)));
      }
    }
    return own;
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
   * Rejects a step id that a file has twice, or two shipped ones have: the next start would fail.
   *
   * @throws InvalidStepException names the step
   */
  void rejectRepeatedSteps(Path file, RouteFile edited) throws Exception {
    Set<String> ids = new HashSet<>();
    for (Path other : loadedFiles()) {
      if (RouteFiles.isShipped(file) && RouteFiles.isShipped(other) && !other.equals(file)) {
        loaded(other).steps().forEach(step -> ids.add(step.getId()));
      }
    }
    RouteFiles.addSteps(edited.steps(), ids);
  }

  /** Returns the files with a route configuration. */
  List<Path> filesWithConfiguration(String configurationId) throws Exception {
    return filesWith(configurationId, RouteFile::configurationIds);
  }

  /** Returns the files with a bean. */
  List<Path> filesWithBean(String name) throws Exception {
    return filesWith(name, RouteFile::beanNames);
  }

  private List<Path> filesWith(String name, Function<RouteFile, Set<String>> names)
      throws Exception {
    List<Path> found = new ArrayList<>();
    for (Path file : loadedFiles()) {
      if (names.apply(loaded(file)).contains(name)) {
        found.add(file);
      }
    }
    return found;
  }

  /** Returns whether a bean is neither from a file nor missing. */
  boolean isBeanOfProxy(String name) throws Exception {
    return filesWithBean(name).isEmpty() && context.getRegistry().lookupByName(name) != null;
  }

  /**
   * Replaces a file's beans, routes and route configurations by those of its new content. The beans
   * and routes of other files continue, except for routes that use one of the configurations.
   *
   * @return the ids of the compiled routes and configurations that are in effect again
   */
  Set<String> load(Path file, RouteFile edited) throws Exception {
    replaceBeans(file, edited);
    // the stop of the previous routes does not count as a failure of the new ones
    try (InterruptAfter limit = limitStart(file)) {
      return build(file, edited);
    }
  }

  /** A route of a user that blocks its start must not block Camel, which starts one at a time. */
  private @Nullable InterruptAfter limitStart(Path file) {
    return RouteFiles.isShipped(file) ? null : new InterruptAfter(maxStart);
  }

  private Set<String> build(Path file, RouteFile edited) throws Exception {
    // configurations first, since they apply when a route is built
    edited
        .configurations()
        .forEach(configuration -> RouteConfigurations.replace(model, configuration));
    Set<String> restoredConfigurations =
        compiledRoutes.restoreConfigurations(
            context, without(configurationIds(file), edited.configurationIds()));
    Set<String> removedRoutes = without(routeIds(file), edited.routeIds());
    Set<String> built = edited.build();
    ConditionalRoutePolicy.startEligible(context, built);
    remove(without(routeIds(file), built));
    Set<String> restoredRoutes = compiledRoutes.restoreRoutes(context, removedRoutes);

    Set<String> changedConfigurations = union(edited.configurationIds(), restoredConfigurations);
    rebuild(without(routesWith(changedConfigurations), union(built, restoredRoutes)));
    files.put(file, edited);
    unparsed.remove(file);
    stopped.clear();
    endReplacedBeans();
    return union(restoredConfigurations, restoredRoutes);
  }

  /** Creates the beans before the routes stop; the current ones do not end yet. */
  private void replaceBeans(Path file, RouteFile edited) throws Exception {
    Set<String> names = union(ofThisFileOnly(file, RouteFile::beanNames), edited.beanNames());
    created = beans.create(edited.beans(), RouteFiles.isShipped(file) ? maxEdit : maxStart);
    stop(file);
    replaced = beans.replace(names, created);
  }

  private void endReplacedBeans() {
    Map<String, RouteBeans.Bean> previous = Objects.requireNonNull(replaced);
    created = null;
    replaced = null;
    beans.end(previous);
  }

  /**
   * Removes a file's routes and ends its beans.
   *
   * @return the ids of the compiled routes and configurations that are in effect again
   */
  Set<String> unload(Path file, String location) throws Exception {
    Set<String> restored = load(file, new RouteFile(context, location, new byte[0]));
    files.remove(file);
    return restored;
  }

  /** Returns the routes and configurations as they are, for a rollback. */
  State state() {
    return new State(routes(), List.copyOf(model.getRouteConfigurationDefinitions()));
  }

  /**
   * Restores all routes, configurations and beans after a failed edit. The beans of the edited file
   * have not ended.
   */
  void rollBack(State previous) throws Exception {
    Map<String, RouteBeans.Bean> failed = created == null ? Map.of() : created;
    if (replaced != null) {
      beans.replace(failed.keySet(), replaced);
    }
    created = null;
    replaced = null;
    try {
      rollBackRoutes(previous);
    } finally {
      beans.end(failed);
    }
  }

  private void rollBackRoutes(State previous) throws Exception {
    model.getRouteConfigurationDefinitions().clear();
    model.getRouteConfigurationDefinitions().addAll(previous.configurations());
    Map<String, Route> current = routes();
    remove(without(current.keySet(), previous.routes().keySet()));
    Set<Path> changed = new LinkedHashSet<>(stopped);
    stopped.clear();
    Set<String> compiled = new LinkedHashSet<>();
    for (Route route : previous.routes().values()) {
      if (current.get(route.getRouteId()) != route) {
        sourceFile(route).ifPresentOrElse(changed::add, () -> compiled.add(route.getRouteId()));
      }
    }
    changed.retainAll(loadedFiles());
    build(changed, compiled);
    changed.forEach(file -> LOG.warn("{} rolled back to its previous version", file.getFileName()));
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
    Set<Path> changed = new LinkedHashSet<>();
    Set<String> compiled = new LinkedHashSet<>();
    for (String routeId : routeIds) {
      fileOfRoute(routeId).ifPresentOrElse(changed::add, () -> compiled.add(routeId));
    }
    for (Path file : changed) {
      stop(file);
    }
    build(changed, compiled);
  }

  private void build(Set<Path> changed, Set<String> compiledIds) throws Exception {
    for (Path file : changed) {
      try (InterruptAfter limit = limitStart(file)) {
        ConditionalRoutePolicy.startEligible(context, loaded(file).build());
      }
    }
    compiledRoutes.restoreRoutes(context, compiledIds);
  }

  /**
   * Stops the routes that must not run while they are replaced: those that use beans, which are
   * replaced before. Messages of a route of a user do not delay edits and events: they have a limit
   * in time.
   */
  private void stop(Path file) throws Exception {
    boolean shipped = RouteFiles.isShipped(file);
    if (shipped && (!contains(file) || loaded(file).beanNames().isEmpty())) {
      return;
    }
    stopped.add(file);
    for (String routeId : routeIds(file)) {
      if (shipped) {
        context.getRouteController().stopRoute(routeId);
      } else {
        // its consumer can wait for the message as well, and interrupts it only then
        try (InterruptAfter limit = new InterruptAfter(MAX_STOP.plus(maxEdit))) {
          context
              .getRouteController()
              .stopRoute(routeId, MAX_STOP.toMillis(), TimeUnit.MILLISECONDS);
        }
      }
    }
  }

  private void remove(Set<String> routeIds) throws Exception {
    for (String routeId : routeIds) {
      context.getRouteController().stopRoute(routeId);
      context.removeRoute(routeId);
    }
  }

  private Set<Path> loadedFiles() {
    return union(files.keySet(), unparsed.keySet());
  }

  /** Parses a shipped file at its first use, once the context has started. */
  private RouteFile loaded(Path file) throws Exception {
    byte[] content = unparsed.get(file);
    if (content != null) {
      RouteFile parsed = new RouteFile(context, "file:" + file, content);
      beans.adopt(parsed.beans());
      files.put(file, parsed);
      unparsed.remove(file);
    }
    return Objects.requireNonNull(files.get(file));
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

  private static <T> Set<T> union(Set<T> one, Set<T> other) {
    Set<T> all = new LinkedHashSet<>(one);
    all.addAll(other);
    return all;
  }

  /** Running routes by id, and route configurations. */
  record State(Map<String, Route> routes, List<RouteConfigurationDefinition> configurations) {}
}
