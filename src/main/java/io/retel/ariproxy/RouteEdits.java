package io.retel.ariproxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
import org.apache.camel.spi.Resource;
import org.apache.camel.spi.RoutesLoader;
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
final class RouteEdits {

  private static final Logger LOG = LoggerFactory.getLogger(RouteEdits.class);

  /** Some editors delete or empty a file before they write it anew. */
  private static final long SAVING_MS = 500;

  private final CamelContext context;

  /** Routes whose file may not go. */
  private final Set<String> indispensable;

  /** What runs, by the file that it is from. */
  private final Map<Path, byte[]> running = new ConcurrentHashMap<>();

  private boolean ended;

  private RouteEdits(CamelContext context, Set<String> indispensable) {
    this.context = context;
    this.indispensable = indispensable;
  }

  /**
   * Makes Camel's watcher of the routes' folder use it, if there is one.
   *
   * @param indispensable the routes that go on when their file is deleted
   */
  static void watch(CamelContext context, Path folder, Set<String> indispensable) {
    RouteWatcherReloadStrategy watcher = context.hasService(RouteWatcherReloadStrategy.class);
    if (watcher != null) {
      RouteEdits edits = new RouteEdits(context, indispensable);
      edits.remember(folder);
      watcher.setResourceReload((name, resource) -> edits.takeOver(resource));
      context.addLifecycleStrategy(
          new LifecycleStrategySupport() {
            @Override
            public void onContextStopping(CamelContext stopping) {
              edits.end();
            }
          });
    }
  }

  private void remember(Path folder) {
    try {
      for (Path file : RouteFiles.in(folder)) {
        running.put(file, Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Camel does not expect a route that is exchanged while it stops. */
  private synchronized void end() {
    ended = true;
  }

  private synchronized void takeOver(Resource edited) throws IOException, InterruptedException {
    if (ended) {
      return;
    }
    Path file = file(edited);
    if (file.toFile().length() == 0) {
      TimeUnit.MILLISECONDS.sleep(SAVING_MS);
    }
    if (!Files.exists(file)) {
      takeAway(file, edited.getLocation());
      return;
    }
    byte[] content = Files.readAllBytes(file);
    if (content.length == 0) {
      LOG.error(
          "{} is empty: what ran of it runs on as it was, and the proxy does not start with it."
              + " Put its content back, or delete it",
          edited.getLocation());
      return;
    }
    Map<String, Route> before = routes();
    try {
      Set<String> taken = update(edited.getLocation(), content);
      refuseRoutesOfOtherFiles(file, before, taken);
      RunWhile.startIfTheyShallRun(context, taken);
      removeOthers(file, taken);
      running.put(file, content);
      LOG.info("{} is taken over as it is now", edited.getLocation());
    } catch (Exception e) {
      LOG.error("{} cannot run as it is now: {}", edited.getLocation(), StartFailure.inOneLine(e));
      goBack(file, edited.getLocation(), before);
    }
  }

  private Set<String> update(String location, byte[] content) throws Exception {
    RoutesLoader loader = PluginHelper.getRoutesLoader(context);
    return loader.updateRoutes(List.of(ResourceHelper.fromBytes(location, content)));
  }

  /** A copy of a file, kept beside it, would take the route's place at each edit. */
  private void refuseRoutesOfOtherFiles(Path file, Map<String, Route> before, Set<String> taken) {
    for (String id : taken) {
      Optional<Path> owner = Optional.ofNullable(before.get(id)).flatMap(RouteEdits::fileOf);
      if (owner.isPresent() && !owner.get().equals(file) && Files.exists(owner.get())) {
        throw new IllegalArgumentException(
            "the route " + id + " is that of " + owner.get().getFileName() + " already");
      }
    }
  }

  /** Makes all as it was before an edit that failed. */
  private void goBack(Path file, String location, Map<String, Route> before) {
    if (routes().equals(before)) {
      // it was not even tried
      return;
    }
    try {
      removeOthers(file, Set.of());
      Set<Path> affected = new LinkedHashSet<>();
      affected.add(file);
      // a route of another file, whose place was taken
      before.values().stream()
          .filter(route -> routes().get(route.getRouteId()) != route)
          .flatMap(route -> fileOf(route).stream())
          .forEach(affected::add);
      List<String> back = new ArrayList<>();
      for (Path path : affected) {
        byte[] content = running.get(path);
        if (content != null) {
          back.addAll(update("file:" + path, content));
        }
      }
      RunWhile.startIfTheyShallRun(context, back);
      if (!back.isEmpty()) {
        LOG.warn("{} runs as it was before", location);
      }
    } catch (Exception e) {
      LOG.error("{} does not run at all: {}", location, StartFailure.inOneLine(e));
    }
  }

  private void takeAway(Path file, String location) {
    List<String> its =
        routes().values().stream()
            .filter(route -> fileOf(route).filter(file::equals).isPresent())
            .map(Route::getRouteId)
            .toList();
    if (its.stream().anyMatch(indispensable::contains)) {
      LOG.error(
          "{} is gone: {} runs on as it was, and is not there any more after a restart. Put it back",
          location,
          its);
      return;
    }
    if (running.remove(file) == null) {
      return;
    }
    try {
      removeOthers(file, Set.of());
      if (its.isEmpty()) {
        LOG.warn("{} is gone: what it configures holds until the proxy is started again", location);
      } else {
        LOG.info("{} is gone: {} is stopped and removed", location, its);
      }
    } catch (Exception e) {
      LOG.error("{} is gone, and {} does not stop: {}", location, its, StartFailure.inOneLine(e));
    }
  }

  /** Removes the routes of a file but for these. */
  private void removeOthers(Path file, Set<String> taken) throws Exception {
    for (Route route : routes().values()) {
      String id = route.getRouteId();
      if (!taken.contains(id) && fileOf(route).filter(file::equals).isPresent()) {
        context.getRouteController().stopRoute(id);
        context.removeRoute(id);
      }
    }
  }

  private Map<String, Route> routes() {
    return context.getRoutes().stream()
        .collect(Collectors.toMap(Route::getRouteId, route -> route, (one, same) -> one));
  }

  private static Optional<Path> fileOf(Route route) {
    return Optional.ofNullable(route.getSourceResource()).map(RouteEdits::file);
  }

  private static Path file(Resource resource) {
    return Path.of(resource.getLocation().replaceFirst("^file:", "")).toAbsolutePath().normalize();
  }
}
