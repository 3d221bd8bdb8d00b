// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.FatalErrors;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.apache.camel.support.service.ServiceSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports changes in the folder of the route files, on one thread.
 *
 * <p>Camel's own {@code FileWatcherResourceReloadStrategy} ends for good, without a line, once more
 * than 512 changes wait for it, and continues to watch a folder that another one has replaced.
 */
final class RouteFolderWatcher extends ServiceSupport {

  private static final Logger LOG = LoggerFactory.getLogger(RouteFolderWatcher.class);

  /**
   * Of the files with which Kubernetes replaces the content of a ConfigMap's volume: its files are
   * links to {@code ..data/<name>}, and {@code ..data} is a link to a folder. A change replaces
   * {@code ..data}, by a rename of {@code ..data_tmp}, and no link to a file.
   */
  private static final String VOLUME_PREFIX = "..";

  /** The system does not report that another folder has the path now. */
  private static final Duration FOLDER_CHECK = Duration.ofSeconds(5);

  /** Reacts to changes, on the watcher's thread. */
  interface Listener {

    /** A route file, or a misnamed one, was created, changed or deleted. */
    void changed(Path file) throws InterruptedException;

    /** Any file may have been created, changed or deleted. */
    void changedAnywhere() throws InterruptedException;
  }

  private final CamelContext context;
  private final Path folder;
  private final Listener listener;
  private final Duration folderCheck;
  private final CountDownLatch ready = new CountDownLatch(1);
  private @Nullable ExecutorService thread;
  private volatile @Nullable WatchService service;

  RouteFolderWatcher(CamelContext context, Path folder, Listener listener) {
    this(context, folder, listener, FOLDER_CHECK);
  }

  /**
   * @param folderCheck how often to check whether another folder has the path
   */
  RouteFolderWatcher(CamelContext context, Path folder, Listener listener, Duration folderCheck) {
    this.context = context;
    this.folder = folder.toAbsolutePath().normalize();
    this.listener = listener;
    this.folderCheck = folderCheck;
  }

  /** Whether Kubernetes controls a link: its target is {@code ..data/<name>}. */
  static boolean isLinkOfVolume(Path link) {
    try {
      return Files.readSymbolicLink(link).startsWith(VOLUME_PREFIX + "data");
    } catch (IOException e) {
      // deleted since
      return true;
    }
  }

  /** Lets it report changes, first those since its creation. Not before all files are loaded. */
  void begin() {
    ready.countDown();
  }

  @Override
  protected void doStart() {
    thread = context.getExecutorServiceManager().newSingleThreadExecutor(this, "route-watcher");
    thread.execute(this::watch);
  }

  /** Does not interrupt the reload of a file. */
  @Override
  protected void doStop() throws IOException {
    begin();
    WatchService opened = service;
    if (opened != null) {
      opened.close();
    }
    if (thread != null) {
      context.getExecutorServiceManager().shutdown(thread);
    }
  }

  private void watch() {
    Registration registration = new Registration();
    boolean anywhere = true;
    try {
      ready.await();
      while (isRunAllowed()) {
        try {
          anywhere |= registration.renew();
          report(registration.poll(anywhere ? Duration.ZERO : folderCheck), anywhere);
          anywhere = false;
        } catch (ClosedWatchServiceException e) {
          throw e;
        } catch (RuntimeException | Error e) {
          FatalErrors.exitIfOutOfMemory(e);
          LOG.error("Changes of route files in {} failed to be reported, retrying", folder, e);
          anywhere = true;
          TimeUnit.MILLISECONDS.sleep(folderCheck.toMillis());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ClosedWatchServiceException e) {
      LOG.debug("Route files are no longer watched");
    }
  }

  private void report(@Nullable WatchKey key, boolean anywhere) throws InterruptedException {
    Set<Path> files = new LinkedHashSet<>();
    boolean all = anywhere;
    if (key != null) {
      for (WatchEvent<?> event : key.pollEvents()) {
        if (event.context() instanceof Path name && !name.toString().startsWith(VOLUME_PREFIX)) {
          files.add(folder.resolve(name));
        } else {
          all = true;
        }
      }
      key.reset();
    }
    for (Path file : files) {
      if ((RouteFiles.isRouteFile(file) || RouteFiles.isMisnamed(file))
          && !Files.isDirectory(file)) {
        listener.changed(file);
      }
    }
    if (all) {
      listener.changedAnywhere();
    }
  }

  /** Which folder is watched: the path can be a link that changes, or a folder that is renamed. */
  private final class Registration {

    private @Nullable WatchKey key;

    /** Of the folder that is watched, such as its device and inode. */
    private @Nullable Object identity;

    /** Why none is watched; null if one is. */
    private @Nullable String problem;

    /**
     * Watches the folder that has the path now. Returns whether changes may have been missed: it is
     * another one, or was missing.
     */
    boolean renew() {
      try {
        Object current = Files.readAttributes(folder, BasicFileAttributes.class).fileKey();
        if (problem == null && key != null && key.isValid() && current.equals(identity)) {
          return false;
        }
        register();
        identity = current;
        problem = null;
        LOG.info("Route files are reloaded when they change in {}", folder);
        return true;
      } catch (IOException e) {
        if (!e.toString().equals(problem)) {
          problem = e.toString();
          LOG.error(
              "{} cannot be watched, so its routes continue unchanged: {}; retrying",
              folder,
              problem);
        }
        return false;
      }
    }

    private void register() throws IOException {
      WatchService opened = service;
      if (opened == null) {
        opened = folder.getFileSystem().newWatchService();
        service = opened;
        if (!isRunAllowed()) {
          opened.close();
        }
      }
      WatchKey previous = key;
      key =
          folder.register(
              opened,
              StandardWatchEventKinds.ENTRY_CREATE,
              StandardWatchEventKinds.ENTRY_MODIFY,
              StandardWatchEventKinds.ENTRY_DELETE);
      if (previous != null && !previous.equals(key)) {
        previous.cancel();
      }
    }

    /** Returns null if nothing has changed by then. */
    @Nullable WatchKey poll(Duration timeout) throws InterruptedException {
      WatchService opened = service;
      if (opened == null) {
        TimeUnit.MILLISECONDS.sleep(timeout.toMillis());
        return null;
      }
      return opened.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
    }
  }
}
