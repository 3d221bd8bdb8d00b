package io.retel.ariproxy;

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
 * Takes over route files that are edited, added or deleted, and goes back to what ran before when
 * an edit cannot run.
 *
 * <p>Camel stops the running route before it makes the new one: after an edit that names a bean
 * which does not exist, there would be none, and each later edit of any file would try the broken
 * one again. Called by the watcher's one thread.
 */
final class RouteReloader {

  private static final Logger LOG = LoggerFactory.getLogger(RouteReloader.class);

  /** Some editors delete or empty a file before they write it anew. */
  private static final long SAVE_WINDOW_MS = 500;

  private final CamelContext context;

  /** Routes whose file may not go. */
  private final Set<String> requiredRoutes;

  /** What runs, by the file that it is from. */
  private final Map<Path, byte[]> activeContents = new ConcurrentHashMap<>();

  /** What was looked at last. */
  private final Map<Path, FileSnapshot> lastSnapshots = new HashMap<>();

  private boolean closed;

  private RouteReloader(CamelContext context, Set<String> requiredRoutes) {
    this.context = context;
    this.requiredRoutes = requiredRoutes;
  }

  /**
   * Makes Camel's watcher of the routes' folder use it, if there is one.
   *
   * @param indispensable the routes that go on when their file is deleted
   */
  static void watch(CamelContext context, Path folder, Set<String> requiredRoutes) {
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

  /** Camel does not expect a route that is exchanged while it stops. */
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
          "{} is empty: what ran of it runs on as it was, and the proxy does not start with it."
              + " Put its content back, or delete it",
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
      LOG.info("{} is taken over as it is now", location);
    } catch (DuplicateRouteIdException e) {
      LOG.error("{} is left out: {}", location, e.getMessage());
    } catch (Exception e) {
      LOG.error("{} cannot run as it is now: {}", location, StartupErrors.singleLine(e));
      rollback(file, location, previousRoutes);
    }
  }

  /** As Camel's loader does, but that no route is stopped for one that is left out. */
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

  /** A copy of a file, kept beside it, would take the route's place at each edit. */
  private void rejectDuplicateId(String routeId, Path file) throws DuplicateRouteIdException {
    Optional<Path> owner =
        Optional.ofNullable(routes().get(routeId)).flatMap(RouteReloader::sourceFile);
    if (owner.isPresent() && !owner.get().equals(file) && Files.exists(owner.get())) {
      throw new DuplicateRouteIdException(routeId, owner.get().getFileName());
    }
  }

  /** Makes all as it was before an edit that failed. */
  private void rollback(Path file, String location, Map<String, Route> previousRoutes) {
    if (routes().equals(previousRoutes)) {
      // it was not even tried
      return;
    }
    try {
      removeRoutesExcept(file, Set.of());
      Set<Path> affectedFiles = new LinkedHashSet<>();
      affectedFiles.add(file);
      // a route of another file, whose place was taken
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
      affectedFiles.forEach(path -> LOG.warn("{} runs as it was before", path.getFileName()));
    } catch (Exception e) {
      LOG.error("{} does not run at all: {}", location, StartupErrors.singleLine(e));
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
          "{} is gone: {} runs on as it was, and is not there any more after a restart. Put it back",
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
        LOG.warn("{} is gone: what it configures holds until the proxy is started again", location);
      } else {
        LOG.info("{} is gone: {} is stopped and removed", location, routeIds);
      }
    } catch (Exception e) {
      LOG.error(
          "{} is gone, and {} does not stop: {}", location, routeIds, StartupErrors.singleLine(e));
    }
  }

  /** Removes the routes of a file but for these. */
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
   * A file as it was saved.
   *
   * @param at read before the content, so that what is written meanwhile is seen again
   */
  private record FileSnapshot(FileTime modifiedAt, byte[] content) {

    static FileSnapshot read(Path file) throws IOException {
      return new FileSnapshot(Files.getLastModifiedTime(file), Files.readAllBytes(file));
    }

    /** A file that is written in more than one go is told of as often; to save it anew counts. */
    boolean isRepeatOf(FileSnapshot previous) {
      return Arrays.equals(content, previous.content)
          && Math.abs(modifiedAt.toMillis() - previous.modifiedAt.toMillis()) < SAVE_WINDOW_MS;
    }
  }

  /** A route has an id that is another file's. */
  private static final class DuplicateRouteIdException extends Exception {

    private static final long serialVersionUID = 1L;

    DuplicateRouteIdException(String routeId, Path owner) {
      super(
          "the route %s is that of %s, which runs on. Give it another id: the proxy does not start with two of one"
              .formatted(routeId, owner),
          null,
          false,
          false);
    }
  }
}
