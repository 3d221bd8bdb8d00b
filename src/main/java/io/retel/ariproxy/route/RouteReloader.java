// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.StartupErrors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
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
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reloads route files that are edited, added or deleted, and rolls back edits that cannot run.
 *
 * <p>Camel stops the running route before it creates the new one. Without a rollback, an edit that
 * references a missing bean would leave no route running, and each later edit of any file would
 * load the broken one again. Called by the watcher's single thread.
 */
public final class RouteReloader {

  private static final Logger LOG = LoggerFactory.getLogger(RouteReloader.class);

  /** Some editors delete or empty a file before they write it. */
  private static final long SAVE_WINDOW_MS = 500;

  private final CamelContext context;

  /** Routes that continue to run when their file is deleted. */
  private final Set<String> requiredRoutes;

  /** Content of the running routes, by file. */
  private final Map<Path, byte[]> activeContents = new ConcurrentHashMap<>();

  /** Last snapshot of each file. */
  private final Map<Path, FileSnapshot> lastSnapshots = new HashMap<>();

  private boolean closed;

  private RouteReloader(CamelContext context, Set<String> requiredRoutes) {
    this.context = context;
    this.requiredRoutes = requiredRoutes;
  }

  /**
   * Installs a reloader in Camel's watcher of the routes folder, if it is enabled.
   *
   * @param requiredRoutes the routes that continue to run when their file is deleted
   */
  public static void watch(CamelContext context, Path folder, Set<String> requiredRoutes) {
    RouteWatcherReloadStrategy watcher = context.hasService(RouteWatcherReloadStrategy.class);
    if (watcher != null) {
      RouteReloader reloader = new RouteReloader(context, requiredRoutes);
      reloader.snapshot(folder);
      watcher.setResourceReload((name, resource) -> reloader.reload(resource));
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              reloader.close();
            }
          });
    }
  }

  private void snapshot(Path folder) {
    try {
      for (Path file : RouteFiles.list(folder)) {
        activeContents.put(file, Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends reloading, since Camel does not support replacing a route while it shuts down. */
  private synchronized void close() {
    closed = true;
  }

  private synchronized void reload(Resource resource) throws IOException, InterruptedException {
    if (closed) {
      return;
    }
    Path file = toPath(resource);
    if (file.toFile().length() == 0) {
      TimeUnit.MILLISECONDS.sleep(SAVE_WINDOW_MS);
    }
    if (!Files.exists(file)) {
      lastSnapshots.remove(file);
      unload(file, resource.getLocation());
      return;
    }
    FileSnapshot current = FileSnapshot.read(file);
    FileSnapshot previous = lastSnapshots.put(file, current);
    if (previous != null && current.isRepeatOf(previous)) {
      return;
    }
    if (current.content().length == 0) {
      LOG.error(
          "{} is empty: its routes continue unchanged, but the next start will fail."
              + " Restore its content or delete it",
          resource.getLocation());
      return;
    }
    replace(file, resource.getLocation(), current.content());
  }

  private void replace(Path file, String location, byte[] content) {
    Map<String, Route> previousRoutes = routes();
    try {
      Set<String> loadedIds = load(file, location, content);
      ConditionalRoutePolicy.startEligible(context, loadedIds);
      removeRoutesExcept(file, loadedIds);
      activeContents.put(file, content);
      LOG.info("{} loaded", location);
    } catch (DuplicateRouteIdException e) {
      LOG.error("{} rejected: {}", location, e.getMessage());
    } catch (Exception e) {
      LOG.error("{} failed to load: {}", location, StartupErrors.singleLine(e));
      rollback(file, location, previousRoutes);
    }
  }

  /** Loads a file like Camel's loader, but stops no route for a file that is rejected. */
  private Set<String> load(Path file, String location, byte[] content) throws Exception {
    Set<String> loadedIds = new LinkedHashSet<>();
    for (RoutesBuilder routesBuilder :
        PluginHelper.getRoutesLoader(context)
            .findRoutesBuilders(List.of(ResourceHelper.fromBytes(location, content)))) {
      RouteConfigurationBuilder builder = (RouteConfigurationBuilder) routesBuilder;
      builder.updateRouteConfigurationsToCamelContext(context);
      for (RouteDefinition route : builder.configureRoutes(context).getRoutes()) {
        rejectDuplicateId(route.getRouteId(), file);
      }
      loadedIds.addAll(builder.updateRoutesToCamelContext(context));
    }
    return loadedIds;
  }

  /** Rejects a route id of another file: a copy of a file would replace its route on each edit. */
  private void rejectDuplicateId(String routeId, Path file) throws DuplicateRouteIdException {
    Optional<Path> owner =
        Optional.ofNullable(routes().get(routeId)).flatMap(RouteReloader::sourceFile);
    if (owner.isPresent() && !owner.get().equals(file) && Files.exists(owner.get())) {
      throw new DuplicateRouteIdException(routeId, owner.get().getFileName());
    }
  }

  /** Restores all routes to the state before a failed edit. */
  private void rollback(Path file, String location, Map<String, Route> previousRoutes) {
    if (routes().equals(previousRoutes)) {
      // nothing was replaced
      return;
    }
    try {
      removeRoutesExcept(file, Set.of());
      Set<Path> affectedFiles = new LinkedHashSet<>();
      affectedFiles.add(file);
      // a replaced route of another file
      previousRoutes.values().stream()
          .filter(route -> routes().get(route.getRouteId()) != route)
          .flatMap(route -> sourceFile(route).stream())
          .forEach(affectedFiles::add);
      affectedFiles.retainAll(activeContents.keySet());
      List<String> restoredIds = new ArrayList<>();
      for (Path path : affectedFiles) {
        restoredIds.addAll(load(path, "file:" + path, activeContents.get(path)));
      }
      ConditionalRoutePolicy.startEligible(context, restoredIds);
      affectedFiles.forEach(
          path -> LOG.warn("{} rolled back to its previous version", path.getFileName()));
    } catch (Exception e) {
      LOG.error(
          "{} failed to roll back, its routes may be down: {}",
          location,
          StartupErrors.singleLine(e));
    }
  }

  private void unload(Path file, String location) {
    List<String> routeIds =
        routes().values().stream()
            .filter(route -> sourceFile(route).filter(file::equals).isPresent())
            .map(Route::getRouteId)
            .toList();
    if (routeIds.stream().anyMatch(requiredRoutes::contains)) {
      LOG.error(
          "{} deleted: {} continues unchanged, but will be missing after a restart. Restore the file",
          location,
          routeIds);
      return;
    }
    if (activeContents.remove(file) == null) {
      return;
    }
    try {
      removeRoutesExcept(file, Set.of());
      if (routeIds.isEmpty()) {
        LOG.warn("{} deleted: its configuration stays in effect until the next restart", location);
      } else {
        LOG.info("{} deleted: {} stopped and removed", location, routeIds);
      }
    } catch (Exception e) {
      LOG.error(
          "{} deleted, but {} failed to stop: {}", location, routeIds, StartupErrors.singleLine(e));
    }
  }

  /** Removes the routes of a file except the retained ones. */
  private void removeRoutesExcept(Path file, Set<String> retainedIds) throws Exception {
    for (Route route : routes().values()) {
      String routeId = route.getRouteId();
      if (!retainedIds.contains(routeId) && sourceFile(route).filter(file::equals).isPresent()) {
        context.getRouteController().stopRoute(routeId);
        context.removeRoute(routeId);
      }
    }
  }

  private Map<String, Route> routes() {
    return context.getRoutes().stream()
        .collect(Collectors.toMap(Route::getRouteId, route -> route, (first, duplicate) -> first));
  }

  private static Optional<Path> sourceFile(Route route) {
    return Optional.ofNullable(route.getSourceResource()).map(RouteReloader::toPath);
  }

  private static Path toPath(Resource resource) {
    return Path.of(resource.getLocation().replaceFirst("^file:", "")).toAbsolutePath().normalize();
  }

  /**
   * A file as saved.
   *
   * @param modifiedAt read before the content, so that a concurrent write is seen as a change
   */
  private record FileSnapshot(FileTime modifiedAt, byte[] content) {

    static FileSnapshot read(Path file) throws IOException {
      return new FileSnapshot(Files.getLastModifiedTime(file), Files.readAllBytes(file));
    }

    /**
     * Returns whether both belong to the same save: a file written in several steps is reported
     * several times. Saving the same content again later is a new edit.
     */
    boolean isRepeatOf(FileSnapshot previous) {
      return Arrays.equals(content, previous.content)
          && Math.abs(modifiedAt.toMillis() - previous.modifiedAt.toMillis()) < SAVE_WINDOW_MS;
    }
  }

  /** A route has the id of a route from another file. */
  private static final class DuplicateRouteIdException extends Exception {

    private static final long serialVersionUID = 1L;

    DuplicateRouteIdException(String routeId, Path owner) {
      super(
          "route id %s belongs to %s, which continues unchanged. Choose another id: the proxy does not start with duplicate ids"
              .formatted(routeId, owner),
          null,
          false,
          false);
    }
  }
}
