// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether every user of the host can read a secret: through the mode of its file, and of the
 * folders in its path; and why this process cannot.
 *
 * <p>In a container, modes on a read-only mount do not matter: Docker mounts secrets with 0444 and
 * Kubernetes with 0644, and folders that the container does not see restrict users of the host.
 */
public final class ReadAccess {

  private static final Logger LOG = LoggerFactory.getLogger(ReadAccess.class);

  /** Kubernetes sets the variable; Docker and Podman create the files. */
  private static final boolean IN_CONTAINER =
      System.getenv("KUBERNETES_SERVICE_HOST") != null
          || Files.exists(Path.of("/.dockerenv"))
          || Files.exists(Path.of("/run/.containerenv"));

  private static final int OTHERS_READ = 0004;
  private static final int OTHERS_ENTER = 0001;
  private static final int PERMISSIONS = 07777;

  private ReadAccess() {}

  /** Warns of each file that every user can read. */
  public static void check(Collection<Path> secrets) throws IOException {
    for (Path file : secrets) {
      Path real = file.toRealPath();
      if (isReadableForEveryone(real) && !(IN_CONTAINER && Files.getFileStore(real).isReadOnly())) {
        LOG.warn(
            "Every user of this host can read {}, which contains a secret; chmod o-r {}",
            file,
            real);
      }
    }
  }

  /**
   * Describes why this process must not read a file: container engines mount a secret with the
   * owner and mode of its file on the host. Completes a sentence that begins with the file.
   */
  public static String denial(Path file) {
    try {
      return "cannot be read by user %d: it belongs to user %d and group %d, with mode %04o"
          .formatted(
              (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid"),
              (int) Files.getAttribute(file, "unix:uid"),
              (int) Files.getAttribute(file, "unix:gid"),
              (int) Files.getAttribute(file, "unix:mode") & PERMISSIONS);
    } catch (IOException | UnsupportedOperationException e) {
      return "cannot be read: permission denied, perhaps by a folder in its path";
    }
  }

  private static boolean isReadableForEveryone(Path file) throws IOException {
    if (!permits(file, OTHERS_READ)) {
      return false;
    }
    for (Path folder = file.getParent(); folder != null; folder = folder.getParent()) {
      if (!permits(folder, OTHERS_ENTER)) {
        return false;
      }
    }
    return true;
  }

  private static boolean permits(Path path, int access) throws IOException {
    return ((int) Files.getAttribute(path, "unix:mode") & access) != 0;
  }
}
