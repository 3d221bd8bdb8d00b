package io.retel.ariproxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
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
 * Takes over edited route files, and goes back to what ran before when an edit cannot run.
 *
 * <p>Camel stops the running route before it makes the new one: after an edit that names a bean
 * which does not exist, there would be none, and each later edit of any file would try the broken
 * one again. Called by the watcher's one thread.
 */
final class RouteEdits {

  private static final Logger LOG = LoggerFactory.getLogger(RouteEdits.class);

  private final CamelContext context;
  private final Map<URI, byte[]> running = new ConcurrentHashMap<>();
  private boolean ended;

  private RouteEdits(CamelContext context) {
    this.context = context;
  }

  /** Makes Camel's watcher of the routes' folder use it, if there is one. */
  static void watch(CamelContext context, Path folder) {
    RouteWatcherReloadStrategy watcher = context.hasService(RouteWatcherReloadStrategy.class);
    if (watcher != null) {
      RouteEdits edits = new RouteEdits(context);
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
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".yaml")).toList()) {
        running.put(file.toUri(), Files.readAllBytes(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Camel does not expect a route that is exchanged while it stops. */
  private synchronized void end() {
    ended = true;
  }

  private synchronized void takeOver(Resource edited) throws IOException {
    if (ended) {
      return;
    }
    RoutesLoader loader = PluginHelper.getRoutesLoader(context);
    byte[] content = bytes(edited);
    if (content.length == 0) {
      // an editor has only begun to write
      return;
    }
    try {
      loader.updateRoutes(List.of(ResourceHelper.fromBytes(edited.getLocation(), content)));
      running.put(edited.getURI(), content);
      LOG.info("{} is taken over as it is now", edited.getLocation());
    } catch (Exception e) {
      LOG.error("{} cannot run as it is now: {}", edited.getLocation(), StartFailure.inOneLine(e));
      goBack(loader, edited);
    }
  }

  private void goBack(RoutesLoader loader, Resource edited) {
    byte[] before = running.get(edited.getURI());
    if (before == null || stillRuns(edited)) {
      return;
    }
    try {
      loader.updateRoutes(List.of(ResourceHelper.fromBytes(edited.getLocation(), before)));
      LOG.warn("{} runs as it was before", edited.getLocation());
    } catch (Exception e) {
      LOG.error("{} does not run at all: {}", edited.getLocation(), StartFailure.inOneLine(e));
    }
  }

  private boolean stillRuns(Resource edited) {
    return context.getRoutes().stream()
        .map(Route::getSourceResource)
        .anyMatch(source -> source != null && edited.getLocation().equals(source.getLocation()));
  }

  private static byte[] bytes(Resource resource) throws IOException {
    try (InputStream in = resource.getInputStream()) {
      return in.readAllBytes();
    }
  }
}
