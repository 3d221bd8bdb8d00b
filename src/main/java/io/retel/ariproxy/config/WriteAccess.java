// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which other users can change a file: through its own mode, or that of a folder in its path. Both
 * the path as given and the one with all symbolic links resolved count.
 *
 * <p>In a parent folder with the sticky bit, such as {@code /tmp}, others cannot replace a file. In
 * Kubernetes, modes on a read-only mount do not matter: the root of a ConfigMap has 0777, and no
 * other user reaches it. Elsewhere they do, since the same files can be writable for other
 * processes: systemd's {@code ProtectSystem} and {@code docker run -v …:ro} restrict the proxy
 * only.
 */
public enum WriteAccess {
  OWNER,
  GROUP,
  EVERYONE;

  private static final Logger LOG = LoggerFactory.getLogger(WriteAccess.class);

  /** Kubernetes sets it in every container. */
  private static final boolean IN_KUBERNETES = System.getenv("KUBERNETES_SERVICE_HOST") != null;

  /** Of files in one line, such as all libraries. */
  private static final int MAX_NAMED = 20;

  private static final int GROUP_WRITE = 0020;
  private static final int OTHERS_WRITE = 0002;
  private static final int STICKY = 01000;

  /**
   * A file or folder that others can write to.
   *
   * @param writers not {@link #OWNER}
   * @param itself whether it is the requested file, not a folder in its path
   */
  public record Exposure(Path path, WriteAccess writers, boolean itself) {

    /**
     * Whether every user can write to the file itself. A folder in its path can be the root of a
     * container's volume, whose mode nobody can change.
     */
    public boolean isToEveryone() {
      return itself && writers == EVERYONE;
    }

    /** Such as {@code /srv (group)}. */
    @Override
    public String toString() {
      return path + " (" + writers.name().toLowerCase(Locale.ROOT) + ")";
    }
  }

  /**
   * Whether Kubernetes runs this process: the owner and modes of a volume are then those of its
   * driver, and no other user reaches it.
   */
  public static boolean isKubernetes() {
    return IN_KUBERNETES;
  }

  /**
   * Returns what gives the most users access to a file or folder; empty if only its owner has. The
   * file itself precedes the folders in its path.
   */
  public static Optional<Exposure> exposure(Path file) throws IOException {
    return exposure(file, new HashMap<>());
  }

  /**
   * @param folders those in paths of files so far, which many files share
   */
  private static Optional<Exposure> exposure(Path file, Map<Path, WriteAccess> folders)
      throws IOException {
    Path real = file.toRealPath();
    Exposure widest = null;
    for (Path path : paths(file, real)) {
      boolean itself = path.equals(real);
      WriteAccess writers = itself ? of(path, true) : folders.get(path);
      if (writers == null) {
        writers = of(path, false);
        folders.put(path, writers);
      }
      if (writers != OWNER && (widest == null || writers.compareTo(widest.writers()) > 0)) {
        widest = new Exposure(path, writers, itself);
      }
    }
    return Optional.ofNullable(widest);
  }

  /**
   * Rejects what every user can change, and warns of what else others can.
   *
   * @throws InvalidSettingException if every user can write to one of the files or folders itself
   */
  public static void check(Collection<Path> files) throws IOException {
    Set<Exposure> accepted = new LinkedHashSet<>();
    Map<Path, WriteAccess> folders = new HashMap<>();
    for (Path file : files) {
      Optional<Exposure> exposure = exposure(file, folders);
      if (exposure.filter(Exposure::isToEveryone).isPresent()) {
        throw new InvalidSettingException(
            "Every user of this host can change %s, and so control the proxy; chmod o-w %s"
                .formatted(file, exposure.get().path()));
      }
      exposure.ifPresent(accepted::add);
    }
    if (!accepted.isEmpty()) {
      LOG.warn(
          "Other users can change what the proxy runs: {}; remove the permission unless you trust them",
          names(accepted));
    }
  }

  private static String names(Set<Exposure> exposures) {
    int more = exposures.size() - MAX_NAMED;
    return exposures.stream()
            .limit(MAX_NAMED)
            .map(Exposure::toString)
            .collect(Collectors.joining(", "))
        + (more > 0 ? " and " + more + " more" : "");
  }

  private static Set<Path> paths(Path file, Path real) {
    Set<Path> paths = new LinkedHashSet<>();
    for (Path start : new Path[] {real, file.toAbsolutePath().normalize()}) {
      for (Path path = start; path != null; path = path.getParent()) {
        paths.add(path);
      }
    }
    return paths;
  }

  /**
   * @param itself whether it is the file, or the folder to which others can add files
   */
  private static WriteAccess of(Path path, boolean itself) throws IOException {
    if (Files.isSymbolicLink(path)) {
      // the folder that contains it decides
      return OWNER;
    }
    int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    if (!itself && Files.isDirectory(path) && (mode & STICKY) != 0) {
      return OWNER;
    }
    WriteAccess writers = ofMode(mode);
    return writers != OWNER && protectsFiles(Files.getFileStore(path), IN_KUBERNETES)
        ? OWNER
        : writers;
  }

  private static WriteAccess ofMode(int mode) {
    return (mode & OTHERS_WRITE) != 0 ? EVERYONE : (mode & GROUP_WRITE) != 0 ? GROUP : OWNER;
  }

  /** Whether no other user can write to a mount, regardless of modes. */
  static boolean protectsFiles(FileStore mount, boolean inKubernetes) {
    return inKubernetes && mount.isReadOnly();
  }
}
