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
final class RouteEdits {

  private static final Logger LOG = LoggerFactory.getLogger(RouteEdits.class);

  /** Some editors delete or empty a file before they write it anew. */
  private static final long SAVING_MS = 500;

  private final CamelContext context;

  /** Routes whose file may not go. */
  private final Set<String> indispensable;

  /** What runs, by the file that it is from. */
  private final Map<Path, byte[]> running = new ConcurrentHashMap<>();

  /** What was looked at last. */
  private final Map<Path, Saved> saved = new HashMap<>();

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
      saved.remove(file);
      takeAway(file, edited.getLocation());
      return;
    }
    Saved now = Saved.in(file);
    Saved before = saved.put(file, now);
    if (before != null && now.isSeenAgain(before)) {
      return;
    }
    if (now.content().length == 0) {
      LOG.error(
          "{} is empty: what ran of it runs on as it was, and the proxy does not start with it."
              + " Put its content back, or delete it",
          edited.getLocation());
      return;
    }
    exchange(file, edited.getLocation(), now.content());
  }

  private void exchange(Path file, String location, byte[] content) {
    Map<String, Route> before = routes();
    try {
      Set<String> taken = update(file, location, content);
      RunWhile.startIfTheyShallRun(context, taken);
      removeOthers(file, taken);
      running.put(file, content);
      LOG.info("{} is taken over as it is now", location);
    } catch (TakenIdException e) {
      LOG.error("{} is left out: {}", location, e.getMessage());
    } catch (Exception e) {
      LOG.error("{} cannot run as it is now: {}", location, StartFailure.inOneLine(e));
      goBack(file, location, before);
    }
  }

  /** As Camel's loader does, but that no route is stopped for one that is left out. */
  private Set<String> update(Path file, String location, byte[] content) throws Exception {
    Set<String> taken = new LinkedHashSet<>();
    for (RoutesBuilder read :
        PluginHelper.getRoutesLoader(context)
            .findRoutesBuilders(List.of(ResourceHelper.fromBytes(location, content)))) {
      RouteConfigurationBuilder builder = (RouteConfigurationBuilder) read;
      builder.updateRouteConfigurationsToCamelContext(context);
      for (RouteDefinition route : builder.configureRoutes(context).getRoutes()) {
        refuseIfOfAnotherFile(route.getRouteId(), file);
      }
      taken.addAll(builder.updateRoutesToCamelContext(context));
    }
    return taken;
  }

  /** A copy of a file, kept beside it, would take the route's place at each edit. */
  private void refuseIfOfAnotherFile(String id, Path file) throws TakenIdException {
    Optional<Path> owner = Optional.ofNullable(routes().get(id)).flatMap(RouteEdits::fileOf);
    if (owner.isPresent() && !owner.get().equals(file) && Files.exists(owner.get())) {
      throw new TakenIdException(id, owner.get().getFileName());
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
      affected.retainAll(running.keySet());
      List<String> back = new ArrayList<>();
      for (Path path : affected) {
        back.addAll(update(path, "file:" + path, running.get(path)));
      }
      RunWhile.startIfTheyShallRun(context, back);
      affected.forEach(path -> LOG.warn("{} runs as it was before", path.getFileName()));
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

  /**
   * A file as it was saved.
   *
   * @param at read before the content, so that what is written meanwhile is seen again
   */
  private record Saved(FileTime at, byte[] content) {

    static Saved in(Path file) throws IOException {
      return new Saved(Files.getLastModifiedTime(file), Files.readAllBytes(file));
    }

    /** A file that is written in more than one go is told of as often; to save it anew counts. */
    boolean isSeenAgain(Saved before) {
      return Arrays.equals(content, before.content)
          && Math.abs(at.toMillis() - before.at.toMillis()) < SAVING_MS;
    }
  }

  /** A route has an id that is another file's. */
  private static final class TakenIdException extends Exception {

    private static final long serialVersionUID = 1L;

    TakenIdException(String id, Path owner) {
      super(
          "the route %s is that of %s, which runs on. Give it another id: the proxy does not start with two of one"
              .formatted(id, owner),
          null,
          false,
          false);
    }
  }
}
