// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import io.retel.ariproxy.config.WriteAccess;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.LifecycleStrategySupport;
import org.apache.camel.support.RouteWatcherReloadStrategy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads additional route files, reloads files that are edited, added or deleted, and rolls back
 * edits that cannot run. A file with the id of a compiled route or route configuration replaces it
 * until it is deleted.
 *
 * <p>Camel stops the running route before it creates the new one. Without a rollback, an edit that
 * references a missing bean would leave no route running, and each later edit of any file would
 * load the broken one again. Called by the thread of the start, then by the watcher's single
 * thread.
 */
public final class RouteReloader {

  private static final Logger LOG = LoggerFactory.getLogger(RouteReloader.class);

  /** Some editors delete or empty a file before they write it. */
  private static final long SAVE_WINDOW_MS = 500;

  private static final Duration POLL_INTERVAL = Duration.ofSeconds(1);

  /** A change, and the end of the watcher, end the wait. */
  private static final Duration WATCH_TIMEOUT = Duration.ofMinutes(1);

  /** Waits until the messages now in flight have completed. */
  @FunctionalInterface
  public interface Progress {

    /** Returns false on timeout. */
    boolean await(Duration timeout) throws InterruptedException;
  }

  private final CamelContext context;
  private final Path folder;
  private final CompiledRoutes compiledRoutes;
  private final ActiveRoutes activeRoutes;

  /** Routes that continue to run when their file is deleted. */
  private final Set<String> requiredRoutes;

  private final RejectedRouteFiles rejectedFiles;
  private final Duration maxStart;

  /** Last snapshot of each file. */
  private final Map<Path, FileSnapshot> lastSnapshots = new ConcurrentHashMap<>();

  private volatile @Nullable Path loading;

  private volatile boolean closed;

  /**
   * @param folder the files, whose shipped ones the context loads itself
   * @param compiledRoutes the routes and configurations in effect without a file of the same id
   * @param requiredRoutes the routes that continue to run when their file is deleted
   * @param rejectedFiles receives the files that are not in effect
   */
  public RouteReloader(
      CamelContext context,
      Path folder,
      CompiledRoutes compiledRoutes,
      Set<String> requiredRoutes,
      RejectedRouteFiles rejectedFiles) {
    this(context, folder, compiledRoutes, requiredRoutes, rejectedFiles, InterruptAfter.MAX_START);
  }

  RouteReloader(
      CamelContext context,
      Path folder,
      CompiledRoutes compiledRoutes,
      Set<String> requiredRoutes,
      RejectedRouteFiles rejectedFiles,
      Duration maxStart) {
    this.maxStart = maxStart;
    this.context = context;
    this.folder = folder;
    this.compiledRoutes = compiledRoutes;
    this.activeRoutes = new ActiveRoutes(context, compiledRoutes, folder, maxStart);
    this.requiredRoutes = requiredRoutes;
    this.rejectedFiles = rejectedFiles;
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onContextStopping(CamelContext stopping) {
            close();
          }
        });
  }

  /**
   * Reloads files when Camel's watcher of the folder, if it is enabled, reports a change.
   *
   * @param progress returns what waits for the messages in flight at that time: edits wait for it,
   *     since Camel stops a route by force if its messages do not complete, and they would be lost
   */
  public void watch(Supplier<Progress> progress) {
    RouteWatcherReloadStrategy watcher = context.hasService(RouteWatcherReloadStrategy.class);
    if (watcher != null) {
      watcher.setPollTimeout(WATCH_TIMEOUT.toMillis());
      watcher.setResourceReload(
          (name, resource) -> {
            awaitProgress(progress.get(), resource);
            reload(ActiveRoutes.toPath(resource), resource.getLocation());
          });
    }
  }

  /**
   * Loads the additional files in the order of their names. Call it once the context has started.
   * One that does not load is skipped, with an error line.
   */
  public void loadAdditional() {
    try {
      for (Path file : RouteFiles.list(folder)) {
        if (!RouteFiles.isShipped(file)) {
          loading = file;
          reload(file, "file:" + file);
        }
      }
      loading = null;
      RouteFiles.misnamed(folder)
          .forEach(file -> reject(file, "is ignored: its name must end in .yaml"));
    } catch (IOException e) {
      LOG.error("{} cannot be read, so additional routes are not loaded: {}", folder, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Returns the additional file that is being loaded. */
  public Optional<String> loading() {
    return Optional.ofNullable(loading).map(Path::toString);
  }

  /**
   * Ends reloading, since Camel does not support replacing a route while it shuts down. Does not
   * wait for a route that blocks its start.
   */
  private void close() {
    closed = true;
  }

  /** Not synchronized, so that the proxy can stop. */
  private void awaitProgress(Progress progress, Resource resource) throws InterruptedException {
    boolean warned = false;
    while (!closed && !progress.await(POLL_INTERVAL)) {
      if (!warned) {
        warned = true;
        LOG.warn(
            "{} waits to be loaded: messages in flight do not complete; check Kafka",
            resource.getLocation());
      }
    }
  }

  /** Reads without the lock, so that the proxy can stop while a file cannot be read. */
  private void reload(Path file, String location) throws InterruptedException {
    if (file.toFile().length() == 0) {
      TimeUnit.MILLISECONDS.sleep(SAVE_WINDOW_MS);
    }
    try {
      WriteAccess.check(Stream.of(folder, file).filter(Files::exists).toList());
      if (Files.isSymbolicLink(file) && !Files.exists(file) && !activeRoutes.contains(file)) {
        reject(file, "is a link to a file that does not exist");
        return;
      }
      if (!Files.exists(file)) {
        lastSnapshots.remove(file);
        rejectedFiles.remove(file);
        unload(file, location);
        return;
      }
      FileSnapshot current = FileSnapshot.read(file);
      FileSnapshot previous = lastSnapshots.put(file, current);
      if (previous != null && current.isRepeatOf(previous)) {
        return;
      }
      if (current.content().length == 0) {
        reject(
            file,
            RouteFiles.isShipped(file)
                ? "is empty: its routes continue unchanged, but the next start will fail."
                    + " Restore its content or delete it"
                : "is empty: " + consequence(file));
        return;
      }
      RouteFiles.targetOutside(folder, file)
          .ifPresent(target -> LOG.warn(RouteFiles.LINK_OUTSIDE, file, target));
      replace(file, location, current.content());
    } catch (InvalidSettingException e) {
      rejectUnread(file, "rejected: " + e.getMessage());
    } catch (UnsuitableFileException e) {
      rejectUnread(file, "rejected: it " + e.getMessage());
    } catch (IOException e) {
      rejectUnread(file, "cannot be read: " + e);
    }
  }

  /**
   * Rejects a file whose content can be accepted, unchanged, once its permissions are corrected.
   */
  private void rejectUnread(Path file, String reason) {
    lastSnapshots.remove(file);
    reject(file, reason);
  }

  private void reject(Path file, String reason) {
    LOG.error("file:{} {}", file, reason);
    rejectedFiles.add(file, reason);
  }

  private String consequence(Path file) {
    return activeRoutes.contains(file) ? "its routes continue unchanged" : "none of its routes run";
  }

  private synchronized void replace(Path file, String location, byte[] content) {
    if (closed) {
      return;
    }
    ActiveRoutes.State previous = activeRoutes.state();
    try {
      RouteFile edited = new RouteFile(context, location, content);
      rejectDuplicateIds(file, edited);
      Set<String> restored = load(file, edited);
      rejectedFiles.remove(file);
      Set<String> replaced = compiledRoutes.idsReplacedBy(edited);
      if (replaced.isEmpty()) {
        LOG.info("{} loaded", location);
      } else {
        LOG.info("{} loaded; it replaces compiled {}", location, replaced);
      }
      if (!restored.isEmpty()) {
        LOG.info("{} no longer replaces compiled {}", location, restored);
      }
    } catch (DuplicateIdException | InvalidSettingException e) {
      reject(file, "rejected: " + e.getMessage());
    } catch (Throwable e) {
      // errors as well: of a library that is missing or of another version, or of nested steps
      FatalErrors.exitIfOutOfMemory(e);
      reject(
          file,
          "failed to load: %s (%s)".formatted(StartupErrors.singleLine(e), consequence(file)));
      rollBack(location, previous);
    }
  }

  /** A route of a user that blocks its start must not block Camel, which starts one at a time. */
  private Set<String> load(Path file, RouteFile edited) throws Exception {
    if (RouteFiles.isShipped(file)) {
      return activeRoutes.load(file, edited);
    }
    try (InterruptAfter limit = new InterruptAfter(maxStart)) {
      return activeRoutes.load(file, edited);
    }
  }

  private synchronized void unload(Path file, String location) {
    if (closed) {
      return;
    }
    Set<String> removed = activeRoutes.routeIds(file);
    if (removed.stream().anyMatch(requiredRoutes::contains)) {
      LOG.error(
          "{} deleted: {} continues unchanged, but will be missing after a restart. Restore the file",
          location,
          removed);
      return;
    }
    if (!activeRoutes.contains(file)) {
      return;
    }
    ActiveRoutes.State previous = activeRoutes.state();
    try {
      Set<String> orphanedConfigurations = activeRoutes.configurationIds(file);
      Set<String> restored = activeRoutes.unload(file, location);
      orphanedConfigurations.removeAll(restored);
      removed.removeAll(restored);
      if (!restored.isEmpty()) {
        LOG.info("{} deleted: compiled {} restored", location, restored);
      }
      if (!orphanedConfigurations.isEmpty()) {
        LOG.warn("{} deleted: its configuration stays in effect until the next restart", location);
      }
      if (!removed.isEmpty()) {
        LOG.info("{} deleted: {} stopped and removed", location, removed);
      }
    } catch (Throwable e) {
      FatalErrors.exitIfOutOfMemory(e);
      LOG.error(
          "{} deleted, but {} failed to stop: {}", location, removed, StartupErrors.singleLine(e));
      rollBack(location, previous);
    }
  }

  /**
   * Rejects an id or bean of another file: a copy of a file would replace its route on each edit.
   */
  private void rejectDuplicateIds(Path file, RouteFile edited) throws Exception {
    for (String id : edited.routeIds()) {
      rejectOther(file, "route id", id, activeRoutes.fileOfRoute(id).stream().toList());
      if (activeRoutes.isOfLibrary(id)) {
        throw new InvalidSettingException("route id %s belongs to a library".formatted(id));
      }
    }
    if (RouteFiles.isShipped(file)) {
      activeRoutes.rejectRepeatedSteps(file, edited);
    }
    if (!RouteFiles.isShipped(file)
        && edited.configurations().stream().anyMatch(RouteConfigurations::isGlobal)) {
      throw new InvalidSettingException(RouteConfigurations.GLOBAL_PROBLEM);
    }
    for (String id : edited.configurationIds()) {
      rejectOther(file, "route configuration id", id, activeRoutes.filesWithConfiguration(id));
    }
    for (String name : edited.beanNames()) {
      rejectOther(file, "bean", name, activeRoutes.filesWithBean(name));
      if (activeRoutes.isBeanOfProxy(name)) {
        throw new InvalidSettingException(RouteFiles.BEAN_OF_PROXY.formatted(name));
      }
    }
  }

  private static void rejectOther(Path file, String kind, String id, List<Path> owners)
      throws DuplicateIdException {
    for (Path owner : owners) {
      if (!owner.equals(file) && Files.exists(owner)) {
        throw new DuplicateIdException(kind, id, owner);
      }
    }
  }

  private void rollBack(String location, ActiveRoutes.State previous) {
    try {
      activeRoutes.rollBack(previous);
    } catch (Throwable e) {
      FatalErrors.exitIfOutOfMemory(e);
      LOG.error(
          "{} failed to roll back, its routes may be down: {}",
          location,
          StartupErrors.singleLine(e));
    }
  }

  /**
   * A file as saved.
   *
   * @param modifiedAt read before the content, so that a concurrent write is seen as a change
   */
  private record FileSnapshot(FileTime modifiedAt, byte[] content) {

    static FileSnapshot read(Path file) throws IOException {
      return new FileSnapshot(Files.getLastModifiedTime(file), RouteFiles.read(file));
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

  /** A route, configuration or bean has the id or name of one from another file. */
  private static final class DuplicateIdException extends Exception {

    private static final long serialVersionUID = 1L;

    DuplicateIdException(String kind, String id, Path owner) {
      super(
          "%s %s belongs to %s, which continues unchanged. Choose another one"
              .formatted(kind, id, owner.getFileName()),
          null,
          false,
          false);
    }
  }
}
