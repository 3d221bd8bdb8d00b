// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import io.retel.ariproxy.config.WriteAccess;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import io.retel.ariproxy.route.RouteFileSnapshots.Snapshot;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.model.Model;
import org.apache.camel.model.RouteDefinition;
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

  private static final Duration POLL_INTERVAL = Duration.ofSeconds(1);

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

  private final RouteFileSnapshots snapshots;

  /** Files that were rejected because another one, the value, has their id or bean. */
  private final Map<Path, Path> duplicates = new ConcurrentHashMap<>();

  /** Files that were rejected since a route configuration is missing. */
  private final Set<Path> withoutConfiguration = ConcurrentHashMap.newKeySet();

  private @Nullable RouteFolderWatcher watcher;

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
    this.context = context;
    this.folder = folder;
    this.compiledRoutes = compiledRoutes;
    this.activeRoutes = new ActiveRoutes(context, compiledRoutes, folder, maxStart);
    this.requiredRoutes = requiredRoutes;
    this.rejectedFiles = rejectedFiles;
    this.snapshots = new RouteFileSnapshots(folder, activeRoutes::contains, rejectedFiles);
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onContextStopping(CamelContext stopping) {
            close();
          }
        });
  }

  /**
   * Reloads files when they change, once the additional ones are loaded, if {@code
   * camel.main.routesReloadEnabled} has created Camel's watcher, which {@link RouteFolderWatcher}
   * replaces.
   *
   * @param progress returns what waits for the messages in flight at that time: edits wait for it,
   *     since Camel stops a route by force if its messages do not complete, and they would be lost
   */
  public void watch(Supplier<Progress> progress) throws Exception {
    RouteWatcherReloadStrategy replaced = context.hasService(RouteWatcherReloadStrategy.class);
    if (replaced == null) {
      return;
    }
    replaced.setScheduler(false);
    snapshots.rememberShipped();
    RouteFolderWatcher created =
        new RouteFolderWatcher(
            context,
            folder,
            new RouteFolderWatcher.Listener() {
              @Override
              public void changed(Path file) throws InterruptedException {
                reloadOnceIdle(file, progress.get());
              }

              @Override
              public void changedAnywhere() throws InterruptedException {
                for (Path file : snapshots.changedFiles()) {
                  reloadOnceIdle(file, progress.get());
                }
              }
            });
    watcher = created;
    context.addService(created);
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
      RouteFiles.misnamed(folder).forEach(this::rejectMisnamed);
      logMissingConfigurations();
    } catch (IOException e) {
      LOG.error("{} cannot be read, so additional routes are not loaded: {}", folder, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      if (watcher != null) {
        watcher.begin();
      }
    }
  }

  /** Of the shipped files, whose configurations can be in an additional one. */
  private void logMissingConfigurations() {
    Model model = ActiveRoutes.model(context);
    for (RouteDefinition route : model.getRouteDefinitions()) {
      if (isShipped(route)) {
        RouteConfigurations.missing(route, model.getRouteConfigurationDefinitions().stream())
            .ifPresent(
                problem -> LOG.error("{}: its error handling is missing. Correct the id", problem));
      }
    }
  }

  private static boolean isShipped(RouteDefinition route) {
    return route.getResource() != null
        && RouteFiles.isShipped(Path.of(route.getResource().getLocation()));
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

  private void reloadOnceIdle(Path file, Progress progress) throws InterruptedException {
    if (RouteFiles.isMisnamed(file)) {
      if (!Files.exists(file)) {
        rejectedFiles.remove(file);
      } else if (!rejectedFiles.contains(file)) {
        rejectMisnamed(file);
      }
      return;
    }
    String location = "file:" + file;
    awaitProgress(progress, location);
    reload(file, location);
  }

  /** Not synchronized, so that the proxy can stop. */
  private void awaitProgress(Progress progress, String location) throws InterruptedException {
    boolean warned = false;
    while (!closed && !progress.await(POLL_INTERVAL)) {
      if (!warned) {
        warned = true;
        LOG.warn(
            "{} waits to be loaded: messages in flight do not complete; check Kafka", location);
      }
    }
  }

  /** Reads without the lock, so that the proxy can stop while a file cannot be read. */
  private void reload(Path file, String location) throws InterruptedException {
    if (closed) {
      return;
    }
    if (file.toFile().length() == 0) {
      TimeUnit.MILLISECONDS.sleep(RouteFileSnapshots.SAVE_WINDOW.toMillis());
    }
    try {
      if (snapshots.isLinkToNothing(file)) {
        reject(file, "is a link to a file that does not exist");
        return;
      }
      Optional<Snapshot> current = snapshots.read(file);
      if (current.isPresent()) {
        accept(file, location, current.get());
      } else if (Files.isDirectory(folder)) {
        WriteAccess.check(List.of(folder));
        snapshots.remove(file);
        rejectedFiles.remove(file);
        unload(file, location);
        retryRejected(file);
      }
    } catch (InvalidSettingException e) {
      rejectUnread(file, "rejected: " + e.getMessage());
    } catch (UnsuitableFileException e) {
      rejectUnread(file, "rejected: it " + e.getMessage());
    } catch (IOException e) {
      rejectUnread(file, "cannot be read: " + e);
    }
  }

  private void accept(Path file, String location, Snapshot current) throws InterruptedException {
    Snapshot previous = snapshots.put(file, current);
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
    if (replace(file, location, current.content())) {
      retryRejected(file);
    }
  }

  /**
   * Loads files that were rejected for an id or bean of the file that has changed, or for a route
   * configuration that it can have added.
   */
  private void retryRejected(Path changed) throws InterruptedException {
    Set<Path> retried = new TreeSet<>();
    duplicates.forEach(
        (file, owner) -> {
          if (owner.equals(changed)) {
            retried.add(file);
          }
        });
    duplicates.keySet().removeAll(retried);
    retried.addAll(withoutConfiguration);
    withoutConfiguration.clear();
    for (Path file : retried) {
      if (rejectedFiles.contains(file) && Files.exists(file)) {
        snapshots.remove(file);
        reload(file, "file:" + file);
      }
    }
  }

  /**
   * Rejects a file whose content can be accepted, unchanged, once its permissions are corrected.
   */
  private void rejectUnread(Path file, String reason) {
    snapshots.remove(file);
    reject(file, reason);
  }

  private void reject(Path file, String reason) {
    // before the line, so that health agrees with it
    rejectedFiles.add(file, reason);
    LOG.error("file:{} {}", file, reason);
  }

  private void rejectMisnamed(Path file) {
    reject(file, RouteFiles.MISNAMED);
  }

  private String consequence(Path file) {
    return activeRoutes.contains(file) ? "its routes continue unchanged" : "none of its routes run";
  }

  /** Returns whether the content is in effect. */
  private synchronized boolean replace(Path file, String location, byte[] content) {
    if (closed) {
      return false;
    }
    ActiveRoutes.State previous = activeRoutes.state();
    try {
      RouteFile edited = new RouteFile(context, location, content, requiredRoutesOf(file));
      rejectDuplicateIds(file, edited);
      if (isWithoutConfiguration(file, edited)) {
        return false;
      }
      Set<String> restored = activeRoutes.load(file, edited);
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
      return true;
    } catch (DuplicateIdException e) {
      duplicates.put(file, e.owner());
      reject(file, "rejected: " + e.getMessage());
    } catch (InvalidSettingException e) {
      reject(file, "rejected: " + e.getMessage());
    } catch (Throwable e) {
      // errors as well: of a library that is missing or of another version, or of nested steps
      FatalErrors.exitIfOutOfMemory(e);
      reject(
          file,
          "failed to load: %s (%s)"
              .formatted(
                  RouteFileError.of(e, new String(content, StandardCharsets.UTF_8)).withLine(),
                  consequence(file)));
      rollBack(location, previous);
    }
    return false;
  }

  /** Rejects a shipped file whose route would run without its error handling. */
  private boolean isWithoutConfiguration(Path file, RouteFile edited) {
    Optional<String> missing =
        RouteFiles.isShipped(file)
            ? edited.missingConfiguration(
                ActiveRoutes.model(context).getRouteConfigurationDefinitions())
            : Optional.empty();
    missing.ifPresent(
        problem -> {
          withoutConfiguration.add(file);
          reject(file, "rejected: " + problem);
        });
    return missing.isPresent();
  }

  private Set<String> requiredRoutesOf(Path file) {
    Set<String> required = activeRoutes.routeIds(file);
    required.retainAll(requiredRoutes);
    return required;
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
    activeRoutes.rejectRepeatedSteps(file, edited);
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
        throw new DuplicateIdException(
            "%s %s belongs to %s, which continues unchanged. Choose another one"
                .formatted(kind, id, owner.getFileName()),
            owner);
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

  /** A route, configuration, bean or endpoint is one of another file. */
  private static final class DuplicateIdException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Path owner;

    DuplicateIdException(String problem, Path owner) {
      super(problem, null, false, false);
      this.owner = owner;
    }

    Path owner() {
      return owner;
    }
  }
}
