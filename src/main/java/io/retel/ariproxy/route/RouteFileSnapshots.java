// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.config.WriteAccess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last content of each route file, with which its changes are found. Thread-safe. */
final class RouteFileSnapshots {

  private static final Logger LOG = LoggerFactory.getLogger(RouteFileSnapshots.class);

  /** Some editors delete or empty a file before they write it. */
  static final Duration SAVE_WINDOW = Duration.ofMillis(500);

  private static final int MAX_READS = 3;

  private final Path folder;
  private final Predicate<Path> loaded;
  private final RejectedRouteFiles rejectedFiles;
  private final Map<Path, Snapshot> last = new ConcurrentHashMap<>();

  /**
   * @param loaded whether routes of a file are in effect
   * @param rejectedFiles the files that have been reported
   */
  RouteFileSnapshots(Path folder, Predicate<Path> loaded, RejectedRouteFiles rejectedFiles) {
    this.folder = folder;
    this.loaded = loaded;
    this.rejectedFiles = rejectedFiles;
  }

  /**
   * A file as saved.
   *
   * @param modifiedAt read before the content, so that a concurrent write is seen as a change
   */
  record Snapshot(FileTime modifiedAt, byte[] content) {

    private static Snapshot of(Path file) throws IOException {
      return new Snapshot(Files.getLastModifiedTime(file), RouteFiles.read(file));
    }

    /**
     * Returns whether both belong to the same save: a file written in several steps is reported
     * several times. Saving the same content again later is a new edit.
     */
    boolean isRepeatOf(Snapshot previous) {
      return Arrays.equals(content, previous.content)
          && Math.abs(modifiedAt.toMillis() - previous.modifiedAt.toMillis())
              < SAVE_WINDOW.toMillis();
    }
  }

  /** Remembers the shipped files, which the context loads itself. */
  void rememberShipped() {
    try {
      for (Path file : RouteFiles.list(folder)) {
        if (RouteFiles.isShipped(file)) {
          last.put(file, Snapshot.of(file));
        }
      }
    } catch (IOException e) {
      LOG.debug("{} cannot be read: {}", folder, e.toString());
    }
  }

  /** Remembers the content of a file. Returns the previous one. */
  @Nullable Snapshot put(Path file, Snapshot current) {
    return last.put(file, current);
  }

  /** Forgets a file, so that its content is a change. */
  void remove(Path file) {
    last.remove(file);
  }

  /**
   * Returns the content of a file; empty for one that does not exist, also if it is deleted while
   * it is read.
   *
   * @throws io.retel.ariproxy.config.InvalidSettingException if every user can change it
   */
  Optional<Snapshot> read(Path file) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        WriteAccess.check(List.of(folder, file));
        Snapshot snapshot = Snapshot.of(file);
        RouteFiles.targetOutside(folder, file)
            .ifPresent(target -> LOG.warn(RouteFiles.LINK_OUTSIDE, file, target));
        return Optional.of(snapshot);
      } catch (NoSuchFileException e) {
        // the target of its link may have been replaced since
        if (!Files.exists(file)) {
          return Optional.empty();
        }
        if (attempt == MAX_READS) {
          throw e;
        }
      }
    }
  }

  /**
   * Returns the files that no longer exist, then those whose content differs from the last one,
   * then misnamed ones that have not been reported.
   */
  Set<Path> changedFiles() {
    Set<Path> changed = new LinkedHashSet<>();
    if (!Files.isDirectory(folder)) {
      return changed;
    }
    Stream.concat(last.keySet().stream(), rejectedFiles.files().stream())
        .filter(file -> !Files.exists(file) && !isLinkToNothing(file))
        .sorted()
        .forEach(changed::add);
    try {
      RouteFiles.list(folder).stream()
          .filter(file -> Files.exists(file) ? hasChanged(file) : isUnreportedLink(file))
          .forEach(changed::add);
      RouteFiles.misnamed(folder).stream()
          .filter(file -> !rejectedFiles.contains(file))
          .forEach(changed::add);
    } catch (IOException | UncheckedIOException e) {
      LOG.error("{} cannot be read, so its changes are not in effect: {}", folder, e.toString());
    }
    return changed;
  }

  /** A file that cannot be read counts as changed until it is reported. */
  private boolean hasChanged(Path file) {
    Snapshot previous = last.get(file);
    try {
      return !Arrays.equals(previous == null ? null : previous.content(), RouteFiles.read(file));
    } catch (IOException e) {
      return !rejectedFiles.contains(file);
    }
  }

  private boolean isUnreportedLink(Path file) {
    return isLinkToNothing(file) && !rejectedFiles.contains(file);
  }

  /**
   * Returns whether a file is a link to one that has never existed. Kubernetes deletes the files of
   * a ConfigMap before the links to them: those are deleted files.
   */
  boolean isLinkToNothing(Path file) {
    return Files.isSymbolicLink(file)
        && !Files.exists(file)
        && !loaded.test(file)
        && !last.containsKey(file)
        && !RouteFolderWatcher.isLinkOfVolume(file);
  }
}
